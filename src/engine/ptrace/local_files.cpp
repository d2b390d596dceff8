#include "engine/ptrace/local_files.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>

namespace udk::engine {

bool is_local(const char* host) {
  constexpr std::array<unsigned, 10> local = {
      EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,     F2FS_SUPER_MAGIC,
      0x2fc12fc1U,  // ZFS
      TMPFS_MAGIC,      RAMFS_MAGIC,     OVERLAYFS_SUPER_MAGIC, SQUASHFS_MAGIC,   ISOFS_SUPER_MAGIC};
  struct statfs st {};
  return ::statfs(host, &st) == 0 &&
         std::find(local.begin(), local.end(), static_cast<unsigned>(st.f_type)) != local.end();
}

}  // namespace udk::engine
