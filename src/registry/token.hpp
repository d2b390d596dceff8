#pragma once

#include <chrono>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace udk::registry {

using SteadyTime = std::chrono::steady_clock::time_point;

// A bearer token. Its life is counted on our own clock from its arrival: the server's date plays no part.
struct Token {
  Secret value;
  SteadyTime expires;

  // Still good for a request that starts now.
  [[nodiscard]] bool is_valid(SteadyTime now) const { return now < expires; }
};

// Visible ASCII: nothing that could end a header or begin another.
bool is_header_text(std::string_view text);

// The answer of a token server (distribution, docs/spec/auth): `token` or `access_token`, `expires_in` in seconds (60
// if absent or less). Code::corrupt if there is no token, or one that cannot stand in a header.
Result<Token> parse_token(std::string_view body, SteadyTime now);

}  // namespace udk::registry
