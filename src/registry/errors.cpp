#include "registry/errors.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "image/media_type.hpp"

namespace udk::registry {
namespace {

constexpr std::size_t k_longest_detail = 200;

std::string text_member(const nlohmann::json& object, const char* key) {
  auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

std::string in_brackets(const std::string& text) { return text.empty() ? "" : " (" + text + ")"; }

}  // namespace

std::string error_detail(const Response& response) {
  auto document = nlohmann::json::parse(response.body, nullptr, false);
  // Proxies and servers on the wrong port say it in plain words.
  auto type = image::media_type::essence(response.header("content-type"));
  bool plain = type.empty() || type == "text/plain";
  if (!document.is_object() && plain) return printable(trim(response.body.substr(0, k_longest_detail)));
  if (!document.is_object()) return "";
  auto errors = document.find("errors");
  std::string text;
  if (errors != document.end() && errors->is_array() && !errors->empty() && errors->front().is_object()) {
    text = text_member(errors->front(), "message");
    if (text.empty()) text = text_member(errors->front(), "code");
  }
  for (const char* key : {"details", "message", "error"})
    if (text.empty()) text = text_member(document, key);
  return printable(trim(text).substr(0, k_longest_detail));
}

Error transport_error(const Exchange& exchange, const std::string& what, unsigned tries) {
  const auto& url = exchange.request().url;
  const auto& cause = exchange.error().text;
  using End = Exchange::End;
  switch (exchange.end()) {
    case End::unreachable:
      return {Code::network, "cannot reach " + url.authority() + " for the " + what + ": " + cause +
                                 "; check the name, the network and the proxy settings"};
    case End::untrusted:
      return {Code::network, "cannot verify the certificate of " + url.authority() + ": " + cause +
                                 "; name its CA file with CURL_CA_BUNDLE, or use --insecure if you trust the network"};
    case End::no_tls:
      return {Code::network, "no TLS connection to " + url.authority() + ": " + cause +
                                 "; if the registry has no TLS, use --insecure or a http:// URL"};
    case End::dropped:
      return {Code::network, "the connection to " + url.authority() + " broke during the transfer of the " + what +
                                 ": " + cause + " (" + std::to_string(tries) + " tries); try again"};
    case End::refused:
      return Error(exchange.error()).context(what + " from " + url.authority());
    default:
      return {Code::network, "transfer of the " + what + " from " + url.authority() + ": " + cause};
  }
}

Error status_error(const Response& response, const std::string& what, const std::string& server,
                   const std::string& login) {
  auto detail = in_brackets(error_detail(response));
  switch (response.status) {
    case 401:
      // Registries hide from strangers whether a private image exists.
      return {Code::unauthorized, server + " does not have the " + what + " or does not give access to it" + detail +
                                      ": log in with '" + login + "'"};
    case 403:
      return {Code::denied, server + " denies access to the " + what + detail + ": log in with '" + login +
                                "' as a user who may read it"};
    case 404:
      return {Code::not_found, server + " does not have the " + what + detail};
    case 429:
      return {Code::network, server + " limits the rate of requests, also for the " + what + detail +
                                 ": wait, or log in with '" + login + "'"};
    default:
      return {Code::network, server + " answered with status " + std::to_string(response.status) + " for the " + what +
                                 detail + (response.status >= 500 ? "; try again later" : "")};
  }
}

std::string login_command(const std::string& registry_url, bool is_docker_hub) {
  return is_docker_hub ? "udocker login" : "udocker login --registry=" + registry_url;
}

}  // namespace udk::registry
