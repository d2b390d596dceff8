#include "cli/suggestion.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace udk::cli {
namespace {

constexpr std::size_t k_longest = 64;

// Damerau's distance: insertions, deletions, changes, and swaps of neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last;
  std::vector<std::size_t> last(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> row(b.size() + 1, i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = std::move(last);
    last = std::move(row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.size() > k_longest) return "";
  const auto text = to_lower(word);
  std::string best;
  // A third of a word may be wrong, but never all of it.
  std::size_t least = std::min<std::size_t>(2, word.size() / 3) + 1;
  for (auto candidate : candidates) {
    const auto far = distance(text, candidate);
    if (far >= least) continue;
    least = far;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
  auto found = nearest(word, candidates);
  return found.empty() ? "" : " (did you mean " + found + "?)";
}

}  // namespace udk::cli
