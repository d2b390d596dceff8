#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace udk::container {

// "0-3,7" (cpuset(7), list format): ascending, each number once. Code::usage for another text and for a processor that
// is not among `usable` (an empty `usable` allows all).
Result<std::vector<unsigned>> parse_cpu_list(std::string_view text, const std::vector<unsigned>& usable);

}  // namespace udk::container
