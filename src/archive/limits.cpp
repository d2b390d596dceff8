#include "archive/limits.hpp"

#include <sys/statvfs.h>

#include <cerrno>

#include "base/text.hpp"

namespace udk::archive {
namespace {

constexpr std::uint64_t k_worth_asking = std::uint64_t{1} << 20;

}  // namespace

Unexpected over_limit(const std::string& what, std::string_view key) {
  const std::string name(key);
  return fail(Code::excessive, what + " (if that is right, raise the configuration key " + name +
                                   " or the variable UDOCKER_" + to_upper(name) + "; 0 is no limit)");
}

Unexpected too_many_entries(std::uint64_t allowed) {
  return over_limit("the archive has more than the " + std::to_string(allowed) + " members allowed", "limit_entries");
}

Unexpected too_deep(std::size_t allowed) {
  return over_limit("a name in the archive is deeper than " + std::to_string(allowed) + " directories", "limit_depth");
}

Result<> check_room(const Limits& limits, int fd, std::uint64_t bytes) {
  if (limits.free_space == FreeSpace::ignored || bytes < k_worth_asking) return {};
  struct statvfs fs {};
  // Some network and FUSE file systems cannot tell.
  if (::fstatvfs(fd, &fs) != 0 || fs.f_blocks == 0 || fs.f_frsize == 0) return {};
  if (fs.f_bavail >= bytes / fs.f_frsize + 1) return {};
  return fail_errno(ENOSPC, "it needs " + std::to_string(bytes) + " bytes, and its file system has " +
                                std::to_string(fs.f_bavail * fs.f_frsize) +
                                " left (if that is wrong, set the configuration key limit_free_space or the variable "
                                "UDOCKER_LIMIT_FREE_SPACE to False)");
}

SizeLimits size_limits(const Limits& limits) { return {limits.bytes, limits.ratio, limits.free_bytes}; }

}  // namespace udk::archive
