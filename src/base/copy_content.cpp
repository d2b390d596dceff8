#include "base/copy_content.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.hpp"
#include "base/file_extents.hpp"

namespace udk {
namespace {

constexpr std::size_t k_buffer_size = std::size_t{128} << 10;
// Smaller pieces are read and written: that costs less than copy_file_range(2), which goes through a pipe.
constexpr std::size_t k_least_range = k_buffer_size;
constexpr std::size_t k_step = std::size_t{16} << 20;

bool is_refused(int err) {
  return err == EOPNOTSUPP || err == ENOSYS || err == EXDEV || err == EINVAL || err == ENOTTY || err == EPERM ||
         err == EBADF;
}

}  // namespace

Result<> ContentCopier::copy(int from, int to, const struct stat& status) {
  if (status.st_size == 0) return {};
  if (may_share_) {
    if (::ioctl(to, FICLONE, from) == 0) return {};
    if (!is_refused(errno)) return fail_errno(errno, "copy");
    may_share_ = false;
  }
  TRY_ASSIGN(const auto extents, file_extents(from, status));
  std::uint64_t end = 0;
  for (const FileExtent& extent : extents) {
    if (extent.offset != end && (::lseek(from, static_cast<off_t>(extent.offset), SEEK_SET) < 0 ||
                                 ::lseek(to, static_cast<off_t>(extent.offset), SEEK_SET) < 0))
      return fail_errno(errno, "seek");
    TRY(copy_extent(from, to, extent.size));
    end = extent.offset + extent.size;
  }
  if (end < static_cast<std::uint64_t>(status.st_size) && ::ftruncate(to, status.st_size) != 0)
    return fail_errno(errno, "write");
  return {};
}

Result<> ContentCopier::copy_extent(int from, int to, std::uint64_t size) {
  while (size != 0) {
    TRY_ASSIGN(const std::size_t done,
               copy_some(from, to, static_cast<std::size_t>(std::min<std::uint64_t>(size, k_step))));
    if (done == 0) return {};
    size -= done;
  }
  return {};
}

Result<std::size_t> ContentCopier::copy_some(int from, int to, std::size_t size) {
  if (may_range_ && size > k_least_range) {
    const auto copied = ::copy_file_range(from, nullptr, to, nullptr, size, 0);
    // Some kernels say 0 of files of /proc and of some network file systems, though there is something to read.
    if (copied > 0) return static_cast<std::size_t>(copied);
    if (copied < 0 && !is_refused(errno)) return fail_errno(errno, "copy");
    may_range_ = copied == 0;
  }
  buffer_.resize(k_buffer_size);
  for (;;) {
    const auto got = ::read(from, buffer_.data(), std::min(size, buffer_.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "read");
    TRY(write_all(to, Bytes(buffer_).first(static_cast<std::size_t>(got))));
    return static_cast<std::size_t>(got);
  }
}

}  // namespace udk
