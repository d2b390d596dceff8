#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace udk::registry {

// One challenge of WWW-Authenticate (RFC 9110, section 11.6.1).
struct Challenge {
  std::string scheme;                         // lower case: "bearer", "basic"
  std::map<std::string, std::string> params;  // names in lower case; the first of equals counts

  // "" if absent.
  [[nodiscard]] std::string param(const std::string& name) const;
};

// All challenges of one header value, in order: several may stand in one header, and quoted texts may hold commas,
// blanks and escaped quotes. What cannot be understood is skipped, up to the next comma.
std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace udk::registry
