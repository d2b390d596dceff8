#include "container/ports.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace udk::container {
namespace {

constexpr std::uint16_t k_first_free_port = 1024;  // ip_unprivileged_port_start(7), default

std::optional<std::uint16_t> parse_port(std::string_view text) {
  auto value = parse_uint(text);
  if (!value || *value == 0 || *value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

std::optional<Protocol> parse_protocol(std::string_view text) {
  auto name = to_lower(text);
  if (name == "tcp") return Protocol::tcp;
  if (name == "udp") return Protocol::udp;
  if (name == "sctp") return Protocol::sctp;
  return std::nullopt;
}

bool is_address(const std::string& text, int family) {
  std::array<unsigned char, sizeof(in6_addr)> raw{};
  return ::inet_pton(family, text.c_str(), raw.data()) == 1;
}

struct ContainerPort {
  std::uint16_t number;
  Protocol protocol;
};

// "80", "80/tcp"
std::optional<ContainerPort> parse_container_port(std::string_view text) {
  auto slash = std::min(text.find('/'), text.size());
  auto number = parse_port(text.substr(0, slash));
  auto protocol = slash < text.size() ? parse_protocol(text.substr(slash + 1)) : Protocol::tcp;
  if (!number || !protocol) return std::nullopt;
  return ContainerPort{*number, *protocol};
}

// An image may expose a range, "8000-8010/tcp"; its first port is the lowest.
std::optional<ContainerPort> parse_exposed(const std::string& text) {
  auto slash = std::min(text.find('/'), text.size());
  auto dash = std::min(text.substr(0, slash).find('-'), slash);
  return parse_container_port(text.substr(0, dash) + text.substr(slash));
}

}  // namespace

Result<PortMap> parse_port_map(std::string_view text) {
  auto bad = [&](std::string_view cause) {
    return fail(Code::usage, "invalid port mapping " + std::string(text) + ": " + std::string(cause) +
                                 "; [IP:]HOST_PORT:CONTAINER_PORT[/tcp|/udp] expected");
  };
  PortMap out;
  std::string_view rest = text;
  if (rest.starts_with('[')) {
    auto end = rest.find("]:");
    if (end == std::string_view::npos) return bad("no ]: behind the address");
    out.address = rest.substr(1, end - 1);
    rest.remove_prefix(end + 2);
    if (!is_address(out.address, AF_INET6)) return bad("not an IPv6 address in the brackets");
  }
  auto parts = split(rest, ':');
  if (parts.size() == 3 && out.address.empty()) {
    out.address = parts[0];
    if (!out.address.empty() && !is_address(out.address, AF_INET)) return bad("not an IPv4 address before the ports");
    parts.erase(parts.begin());
  }
  if (parts.size() != 2) return bad("two ports are needed");
  auto container = parse_container_port(parts[1]);
  auto host = parse_port(parts[0]);
  if (!host || !container) return bad("a port is a number from 1 to 65535");
  out.host = *host;
  out.container = container->number;
  out.protocol = container->protocol;
  return out;
}

std::optional<Notice> exposed_ports_notice(const Metadata& metadata, const std::vector<PortMap>& maps,
                                           const HostFacts& host) {
  auto is_moved = [&](const ContainerPort& port) {
    return std::any_of(maps.begin(), maps.end(), [&](const PortMap& map) {
      return map.container == port.number && map.protocol == port.protocol && map.host >= k_first_free_port;
    });
  };
  bool any = false;
  for (const auto& text : metadata.exposed_ports) {
    auto port = parse_exposed(text);
    if (!port) continue;
    any = true;
    if (host.uid != 0 && port->number < k_first_free_port && !is_moved(*port))
      return Notice{log::Level::warning, "this container exposes privileged TCP/IP ports"};
  }
  if (!any) return std::nullopt;
  return Notice{log::Level::warning, "this container exposes TCP/IP ports"};
}

}  // namespace udk::container
