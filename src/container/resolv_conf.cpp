#include "container/resolv_conf.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace udk::container {
namespace {

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> raw{};
  // A link-local address carries its interface: fe80::1%eth0.
  auto plain = text.substr(0, text.find('%'));
  if (::inet_pton(AF_INET6, plain.c_str(), raw.data()) == 1) return split_blank(text).size() == 1;
  return ::inet_pton(AF_INET, text.c_str(), raw.data()) == 1;
}

bool is_domain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != 127 && c != '#' && c != ';';
  });
}

}  // namespace

Result<std::string> make_resolv_conf(const std::vector<std::string>& servers, const std::vector<std::string>& search,
                                     std::string_view host_text) {
  std::string out;
  for (auto row : split(host_text, '\n')) {
    auto words = split_blank(row);
    if (words.empty()) continue;
    bool replaced = (words[0] == "nameserver" && !servers.empty()) ||
                    ((words[0] == "search" || words[0] == "domain") && !search.empty());
    if (!replaced) out += std::string(row) + "\n";
  }
  std::string list;
  for (const auto& domain : search) {
    if (!is_domain(domain)) return fail(Code::usage, "invalid --dns-search=" + domain + ": a domain name expected");
    if (domain != ".") list += " " + domain;
  }
  if (!list.empty()) out += "search" + list + "\n";
  for (const auto& server : servers) {
    if (!is_address(server))
      return fail(Code::usage, "invalid --dns=" + server + ": the IP address of a name server expected");
    out += "nameserver " + server + "\n";
  }
  return out;
}

}  // namespace udk::container
