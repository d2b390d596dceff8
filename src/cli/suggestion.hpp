#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace udk::cli {

// The candidate that a mistyped word probably means: one or two letters added, left out, changed or swapped, fewer in a
// short word. "" for none.
std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates);

// " (did you mean NEAREST?)" or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace udk::cli
