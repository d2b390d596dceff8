#pragma once

#include <chrono>
#include <optional>
#include <random>
#include <string_view>

namespace udk::registry {

// Answers that another try may change: 408, 425, 429, 500, 502, 503, 504.
bool is_transient_status(long status);

// A Retry-After header (RFC 9110, section 10.2.3): seconds or an HTTP date, relative to `now` (Unix time). Malformed:
// nullopt; a date gone by: zero.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, std::int64_t now);

// How long to wait before the next try: doubling from `first` up to `longest`, the upper half of it random so that many
// clients do not come back together.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest);
  // `failures` tries have failed in a row (1 at least).
  std::chrono::milliseconds delay(unsigned failures);

 private:
  std::chrono::milliseconds first_, longest_;
  std::minstd_rand random_;
};

}  // namespace udk::registry
