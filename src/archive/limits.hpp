#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "archive/layer_stream.hpp"
#include "base/result.hpp"

namespace udk::archive {

enum class FreeSpace { checked, ignored };

// What an archive may cost. Beyond it the answer is Code::excessive, whose text names the configuration key that raises
// the limit: limit_size, limit_entries, limit_ratio, limit_depth; without room on the disk Code::no_space.
struct Limits {
  std::uint64_t bytes = std::uint64_t{1} << 40;       // uncompressed, all layers together
  std::uint64_t entries = 20'000'000;                 // all layers together
  std::uint64_t ratio = 300;                          // uncompressed : stored, once a layer is larger than free_bytes
  std::uint64_t free_bytes = std::uint64_t{1} << 30;  // any ratio is fine below it
  std::size_t depth = 256;                            // directories above one another
  FreeSpace free_space = FreeSpace::checked;          // before something large is written
};

// Code::excessive: "WHAT (...)", with how to raise the limit of that key.
Unexpected over_limit(const std::string& what, std::string_view key);
Unexpected too_many_entries(std::uint64_t allowed);
Unexpected too_deep(std::size_t allowed);

// Code::no_space if the file system of the open file or directory has less left for this user than `bytes`. Small
// things are not worth the call: they fail when they are written.
Result<> check_room(const Limits& limits, int fd, std::uint64_t bytes);

SizeLimits size_limits(const Limits& limits);

}  // namespace udk::archive
