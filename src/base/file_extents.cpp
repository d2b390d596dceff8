#include "base/file_extents.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace udk {
namespace {

constexpr std::uint64_t k_worth_it = 32768;  // smaller files are not asked about
constexpr std::uint64_t k_block = 512;       // of st_blocks (stat(2))

// The next place of that kind, or the end.
Result<std::uint64_t> seek(int fd, std::uint64_t from, int what, std::uint64_t end) {
  const off_t at = ::lseek(fd, static_cast<off_t>(from), what);
  if (at >= 0) return std::min(static_cast<std::uint64_t>(at), end);
  if (errno == ENXIO) return end;
  return fail_errno(errno, "seek");
}

}  // namespace

Result<std::vector<FileExtent>> file_extents(int fd, const struct stat& status) {
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::vector<FileExtent> out;
  if (size < k_worth_it || static_cast<std::uint64_t>(status.st_blocks) * k_block >= size) {
    if (size != 0) out.push_back({0, size});
    return out;
  }
  for (std::uint64_t at = 0; at < size;) {
    auto begin = seek(fd, at, SEEK_DATA, size);
    // A file system that cannot tell.
    if (!begin && begin.error().sys_errno == EINVAL) return std::vector<FileExtent>{{0, size}};
    if (!begin) return fail(std::move(begin).error());
    TRY_ASSIGN(const std::uint64_t end, seek(fd, *begin, SEEK_HOLE, size));
    if (end > *begin) out.push_back({*begin, end - *begin});
    at = std::max(end, at + 1);
  }
  if (::lseek(fd, 0, SEEK_SET) != 0) return fail_errno(errno, "seek");
  return out;
}

}  // namespace udk
