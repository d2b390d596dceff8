#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace udk::registry {

// An absolute http or https URL, taken apart by libcurl's own parser, so that what is checked is what is connected to.
class Url {
 public:
  // Code::usage if malformed, of another scheme, or with a user or password in it.
  static Result<Url> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_https() const { return scheme_ == "https"; }
  [[nodiscard]] const std::string& host() const { return host_; }  // lower case; an IPv6 address in brackets
  [[nodiscard]] const std::string& path() const { return path_; }  // "/" at least, percent-encoded as given
  // Without a trailing slash and without query.
  [[nodiscard]] std::string base() const;
  // "scheme://host:port", the port always there: what credentials are bound to.
  [[nodiscard]] const std::string& origin() const { return origin_; }
  // "host[:port]", for people.
  [[nodiscard]] const std::string& authority() const { return authority_; }
  // localhost, *.localhost, 127.0.0.0/8, ::1
  [[nodiscard]] bool is_loopback() const;

  // A Location or Link relative to this URL (RFC 3986, section 5).
  [[nodiscard]] Result<Url> resolve(std::string_view location) const;
  // With NAME=VALUE added to the query, both percent-encoded.
  [[nodiscard]] Url with_query(std::string_view name, std::string_view value) const;
  // Without query, which may hold signatures: for messages.
  [[nodiscard]] std::string shown() const;

 private:
  Url() = default;
  static Result<Url> take_apart(void* handle, std::string_view text);
  std::string text_, scheme_, host_, path_, origin_, authority_;
};

// RFC 3986 percent-encoding of everything but unreserved characters.
std::string percent_encode(std::string_view text);

// Whether text of this form names a loopback host: "localhost", "127.0.0.1", "[::1]".
bool is_loopback_host(std::string_view host);

}  // namespace udk::registry
