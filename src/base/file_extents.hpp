#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <vector>

#include "base/result.hpp"

namespace udk {

// A run of content in a file with holes.
struct FileExtent {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// Where the file of these attributes has content, in ascending order, up to its size; the rest reads as zeros. One
// extent for all of it where nobody knows of holes. Moves the file's offset.
Result<std::vector<FileExtent>> file_extents(int fd, const struct stat& status);

}  // namespace udk
