#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace udk::store {

// Writes dir/name so that it is the old or the new content, never a part, and no trace is left in `dir` if the process
// dies: the new file is made in the state directory (as tmp-RANDOM, which sweeping removes) and moved.
Result<> install_file(const std::string& state_dir, const std::string& dir, const std::string& name,
                      std::string_view content);

}  // namespace udk::store
