#include "container/cpuset.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/text.hpp"

namespace udk::container {
namespace {

constexpr std::uint64_t k_max_cpu = 1U << 18;  // more than any kernel is built for

struct Range {
  unsigned first, last;
};

std::optional<Range> parse_range(std::string_view text) {
  auto ends = split(trim(text), '-');
  if (ends.size() > 2) return std::nullopt;
  auto first = parse_uint(ends.front());
  auto last = parse_uint(ends.back());
  if (!first || !last || *first > *last || *last > k_max_cpu) return std::nullopt;
  return Range{static_cast<unsigned>(*first), static_cast<unsigned>(*last)};
}

std::string list_text(const std::vector<unsigned>& cpus) {
  std::string out;
  for (std::size_t i = 0; i < cpus.size(); ++i) {
    std::size_t end = i;
    while (end + 1 < cpus.size() && cpus[end + 1] == cpus[end] + 1) ++end;
    if (!out.empty()) out += ',';
    out += std::to_string(cpus[i]);
    if (end > i) out += '-' + std::to_string(cpus[end]);
    i = end;
  }
  return out;
}

}  // namespace

Result<std::vector<unsigned>> parse_cpu_list(std::string_view text, const std::vector<unsigned>& usable) {
  std::set<unsigned> chosen;
  for (auto part : split(text, ',')) {
    auto range = parse_range(part);
    if (!range) {
      return fail(Code::usage,
                  "invalid --cpuset-cpus=" + std::string(text) + ": a list of processor numbers expected, as 0-3,7");
    }
    for (unsigned cpu = range->first; cpu <= range->last; ++cpu) {
      if (!usable.empty() && !std::binary_search(usable.begin(), usable.end(), cpu)) {
        return fail(Code::usage, "invalid --cpuset-cpus=" + std::string(text) + ": processor " + std::to_string(cpu) +
                                     " is not available; this process may use " + list_text(usable));
      }
      chosen.insert(cpu);
    }
  }
  return std::vector<unsigned>(chosen.begin(), chosen.end());
}

}  // namespace udk::container
