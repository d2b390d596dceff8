#include "registry/url.hpp"

#include <curl/curl.h>

#include <memory>

#include "base/text.hpp"

namespace udk::registry {
namespace {

struct FreeUrl {
  void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
};
using UrlHandle = std::unique_ptr<CURLU, FreeUrl>;

std::string part(CURLU* handle, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, which, &text, flags) != CURLUE_OK || !text) return "";
  std::string out(text);
  curl_free(text);
  return out;
}

Unexpected bad(std::string_view text, std::string_view why) {
  return fail(Code::usage, "invalid URL '" + printable(text.substr(0, 200)) + "': " + std::string(why));
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  auto lower = to_lower(host);
  if (lower == "localhost" || lower == "[::1]" || lower == "::1") return true;
  constexpr std::string_view k_suffix = ".localhost";
  if (lower.size() > k_suffix.size() && std::string_view(lower).substr(lower.size() - k_suffix.size()) == k_suffix)
    return true;
  auto parts = split(lower, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  for (auto number : parts) {
    auto value = parse_uint(number);
    if (!value || *value > 255) return false;
  }
  return true;
}

Result<Url> Url::take_apart(void* handle, std::string_view text) {
  auto* parts = static_cast<CURLU*>(handle);
  Url out;
  out.text_ = part(parts, CURLUPART_URL);
  out.scheme_ = to_lower(part(parts, CURLUPART_SCHEME));
  out.host_ = to_lower(part(parts, CURLUPART_HOST));
  out.path_ = part(parts, CURLUPART_PATH);
  if (out.scheme_ != "https" && out.scheme_ != "http") return bad(text, "only https and http are supported");
  if (out.text_.empty() || out.host_.empty()) return bad(text, "the host is missing");
  auto port = part(parts, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  out.origin_ = out.scheme_ + "://" + out.host_ + ":" + port;
  auto given = part(parts, CURLUPART_PORT);
  out.authority_ = given.empty() ? out.host_ : out.host_ + ":" + given;
  return out;
}

Result<Url> Url::parse(std::string_view text) {
  UrlHandle handle(curl_url());
  if (!handle) return fail(Code::internal, "out of memory");
  if (text.find("://") == std::string_view::npos) return bad(text, "the scheme is missing");
  auto code = curl_url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(), CURLU_DISALLOW_USER);
  if (code == CURLUE_USER_NOT_ALLOWED) return bad("...", "user and password do not belong into a URL; use login");
  if (code != CURLUE_OK) return bad(text, curl_url_strerror(code));
  curl_url_set(handle.get(), CURLUPART_FRAGMENT, nullptr, 0);
  return take_apart(handle.get(), text);
}

std::string Url::base() const {
  std::string out = text_.substr(0, text_.find('?'));
  while (!out.empty() && out.back() == '/') out.pop_back();
  return out;
}

bool Url::is_loopback() const { return is_loopback_host(host_); }

Result<Url> Url::resolve(std::string_view location) const {
  UrlHandle handle(curl_url());
  if (!handle) return fail(Code::internal, "out of memory");
  if (location.find('\0') != std::string_view::npos) return bad(location, "it holds a zero byte");
  auto code = curl_url_set(handle.get(), CURLUPART_URL, text_.c_str(), 0);
  if (code == CURLUE_OK)
    code =
        curl_url_set(handle.get(), CURLUPART_URL, std::string(location).c_str(), CURLU_URLENCODE | CURLU_DISALLOW_USER);
  if (code != CURLUE_OK) return bad(location, curl_url_strerror(code));
  curl_url_set(handle.get(), CURLUPART_FRAGMENT, nullptr, 0);
  return take_apart(handle.get(), location);
}

Url Url::with_query(std::string_view name, std::string_view value) const {
  Url out = *this;
  bool first = text_.find('?') == std::string::npos;
  bool bare = !first && (text_.back() == '?' || text_.back() == '&');
  if (!bare) out.text_ += first ? '?' : '&';
  out.text_ += percent_encode(name) + "=" + percent_encode(value);
  return out;
}

std::string Url::shown() const { return printable(text_.substr(0, text_.find('?'))); }

std::string percent_encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (is_unreserved(c))
      out += c;
    else
      out += "%" + to_upper(to_hex(std::string_view(&c, 1)));
  }
  return out;
}

}  // namespace udk::registry
