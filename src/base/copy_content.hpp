#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.hpp"

namespace udk {

// Copies contents of files, and remembers which of the kernel's ways the file systems refuse. For one thread.
class ContentCopier {
 public:
  // To an empty file, with its holes. A file that becomes shorter meanwhile is copied as far as it goes.
  Result<> copy(int from, int to, const struct stat& status);

 private:
  Result<> copy_extent(int from, int to, std::uint64_t size);
  // 0 is the end of the file.
  Result<std::size_t> copy_some(int from, int to, std::size_t size);

  bool may_share_ = true;  // ioctl_ficlone(2) was not refused yet
  bool may_range_ = true;  // copy_file_range(2) neither
  std::vector<std::byte> buffer_;
};

}  // namespace udk
