#include "engine/ptrace/plain_names.hpp"

#include <cstring>
#include <ctime>

namespace udk::engine {

void PlainNames::refresh() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const std::uint64_t period =
      (static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000000) / k_lifetime;
  if (period != period_) ++epoch_;
  period_ = period;
}

// Eight bytes at a time; what collides only pushes each other out.
std::size_t PlainNames::place_of(std::string_view host) {
  constexpr std::uint64_t k_odd = 0x9e3779b97f4a7c15;
  std::uint64_t hash = host.size();
  while (!host.empty()) {
    std::uint64_t word = 0;
    const std::size_t n = host.size() < sizeof word ? host.size() : sizeof word;
    std::memcpy(&word, host.data(), n);
    hash = (hash ^ word) * k_odd;
    hash ^= hash >> 32;
    host.remove_prefix(n);
  }
  return hash % k_entries;
}

bool PlainNames::knows(std::string_view host) const {
  if (host.size() > k_text) return false;
  const Entry& entry = entries_[place_of(host)];
  return entry.epoch == epoch_ && entry.is(host);
}

void PlainNames::note(std::string_view host) {
  if (host.size() > k_text) return;
  Entry& entry = entries_[place_of(host)];
  entry.epoch = epoch_;
  entry.size = static_cast<std::uint32_t>(host.size());
  std::memcpy(entry.text.data(), host.data(), host.size());
}

void PlainNames::forget(std::string_view host) {
  while (host.size() > 1 && host.back() == '/') host.remove_suffix(1);
  if (host.size() > k_text) return;
  Entry& entry = entries_[place_of(host)];
  if (entry.is(host)) entry.epoch = 0;
}

}  // namespace udk::engine
