#include "registry/retry.hpp"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/text.hpp"

namespace udk::registry {

bool is_transient_status(long status) {
  return status == 408 || status == 425 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, std::int64_t now) {
  auto text = trim(value);
  constexpr std::int64_t k_year = 366L * 24 * 3600;
  if (auto seconds = parse_uint(text))
    return std::chrono::seconds(std::min(*seconds, static_cast<std::uint64_t>(k_year)));
  // Only letters at the front make a date: curl_getdate also takes bare numbers and signs for one.
  if (text.empty() || !((text[0] >= 'A' && text[0] <= 'Z') || (text[0] >= 'a' && text[0] <= 'z'))) return std::nullopt;
  auto date = static_cast<std::int64_t>(curl_getdate(std::string(text).c_str(), nullptr));
  if (date < 0) return std::nullopt;
  return std::chrono::seconds(std::clamp<std::int64_t>(date - now, 0, k_year));
}

Backoff::Backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
    : first_(first),
      longest_(longest),
      random_(static_cast<unsigned>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
              (static_cast<unsigned>(::getpid()) << 16)) {}

std::chrono::milliseconds Backoff::delay(unsigned failures) {
  auto full = first_;
  for (unsigned i = 1; i < failures && full < longest_; ++i) full *= 2;
  full = std::min(full, longest_);
  std::uniform_int_distribution<std::chrono::milliseconds::rep> upper(full.count() / 2, full.count());
  return std::chrono::milliseconds(upper(random_));
}

}  // namespace udk::registry
