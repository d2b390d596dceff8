#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace udk::store {

// As `du -s -m -x`: allocated MB, rounded up, of what is below a directory on its file system; hard links count once.
// Code::denied if a part cannot be read.
Result<std::uint64_t> tree_size_mb(const std::string& path);

// Whether the tree can be deleted without changing modes: every directory that is not empty can be read, searched and
// written. Code::denied names the first that cannot.
Result<> check_removable(const std::string& path);

}  // namespace udk::store
