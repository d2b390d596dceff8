#include "registry/auth_file.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "image/reference.hpp"
#include "registry/token.hpp"

namespace udk::registry {
namespace {

using nlohmann::json;

std::string_view without_scheme(std::string_view text) {
  for (std::string_view scheme : {"https://", "http://"})
    if (starts_with_ignoring_case(text, scheme)) return text.substr(scheme.size());
  return text;
}

std::string host_name(std::string_view text) {
  auto host = to_lower(text);
  return image::is_docker_hub_name(host) ? "docker.io" : host;
}

// HOST or HOST/PATH of a key. docker has written URLs of several kinds, with and without the version of the interface.
std::string plain_key(std::string_view key) {
  auto rest = without_scheme(key);
  const bool is_url = rest.size() != key.size();
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const auto slash = std::min(rest.find('/'), rest.size());
  const auto path = rest.substr(slash);
  return host_name(rest.substr(0, slash)) + (is_url || path == "/v1" || path == "/v2" ? "" : std::string(path));
}

std::string text_of(const json& object, const char* key) {
  auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

Result<std::optional<Credentials>> read_entry(const json& value) {
  if (value.is_null()) return std::optional<Credentials>();
  if (!value.is_object()) return fail(Code::corrupt, "it is no JSON object");
  Credentials out;
  out.user = text_of(value, "username");
  out.password = Secret(text_of(value, "password"));
  out.identity_token = Secret(text_of(value, "identitytoken"));
  out.registry_token = Secret(text_of(value, "registrytoken"));
  if (!is_header_text(out.registry_token.reveal())) return fail(Code::corrupt, "its registrytoken is no token");
  if (const auto auth = text_of(value, "auth"); !auth.empty()) {
    auto text = base64_decode(auth);
    const auto colon = text ? text->find(':') : std::string::npos;
    if (colon == std::string::npos || colon == 0) return fail(Code::corrupt, "its auth is not base64 of USER:PASSWORD");
    out.user = text->substr(0, colon);
    // As docker: old versions of it have padded the password.
    out.password = Secret(text->substr(colon + 1, text->find_last_not_of('\0') - colon));
  }
  if (out.password.empty() && out.identity_token.empty() && out.registry_token.empty())
    return std::optional<Credentials>();
  return std::optional(std::move(out));
}

}  // namespace

std::string auth_host(std::string_view registry_url) {
  const auto rest = without_scheme(registry_url);
  return host_name(rest.substr(0, rest.find('/')));
}

void AuthFile::add(const std::string& key, Result<std::optional<Credentials>> content) {
  const auto plain = plain_key(key);
  Entry entry{std::move(content), plain == key};
  const auto [known, is_new] = entries_.try_emplace(plain, entry);
  const bool better = known->second.is_empty() || (entry.literal && !entry.is_empty());
  if (!is_new && better) known->second = std::move(entry);
}

Result<AuthFile> AuthFile::parse(std::string_view text, Form form) {
  AuthFile out;
  if (trim(text).empty()) return out;
  const auto document = json::parse(text, nullptr, false);
  if (!document.is_object()) return fail(Code::corrupt, "it is not a JSON object");
  // By reference: a copy of deeply nested JSON would exhaust the stack.
  const auto nothing = json::object();
  const auto member = [&](const char* key) -> const json& {
    auto it = document.find(key);
    return form == Form::legacy || it == document.end() || it->is_null() ? nothing : *it;
  };
  const auto& auths = form == Form::legacy ? document : member("auths");
  const auto& helpers = member("credHelpers");
  if (!auths.is_object()) return fail(Code::corrupt, "its auths are not a JSON object");
  if (!helpers.is_object()) return fail(Code::corrupt, "its credHelpers are not a JSON object");
  for (const auto& [key, value] : auths.items()) out.add(key, read_entry(value));
  for (const auto& [key, value] : helpers.items())
    if (value.is_string()) out.helpers_[plain_key(key)] = value.get<std::string>();
  if (form == Form::config) out.store_ = text_of(document, "credsStore");
  return out;
}

std::string AuthFile::helper_of(const std::string& host) const {
  auto it = helpers_.find(host);
  return it == helpers_.end() ? "" : it->second;
}

Result<std::optional<Credentials>> AuthFile::lookup(const std::string& host, const std::string& repository) const {
  auto key = host;
  if (!repository.empty()) (key += '/') += repository;
  for (;;) {
    auto it = entries_.find(key);
    if (it != entries_.end() && !it->second.content)
      return fail(it->second.content.error().context("the entry for " + printable(key) + " cannot be read"));
    if (it != entries_.end() && *it->second.content) return it->second.content;
    if (key.size() <= host.size()) return std::optional<Credentials>();
    key.erase(key.rfind('/'));
  }
}

}  // namespace udk::registry
