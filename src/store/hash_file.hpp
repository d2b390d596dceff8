#pragma once

#include <cstdint>

#include "base/hash.hpp"
#include "base/result.hpp"

namespace udk::store {

// Feeds the rest of an open file to the hash; how many bytes that were. Code::corrupt unless it is a regular file.
Result<std::uint64_t> hash_rest(int fd, Hasher& hasher);

}  // namespace udk::store
