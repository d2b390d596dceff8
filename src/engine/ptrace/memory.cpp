#include "engine/ptrace/memory.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/fd.hpp"

namespace udk::engine {
namespace {

constexpr std::size_t k_page_size = 4096;
// The first look at a text: most paths are short, and a copy of less is cheaper.
constexpr std::size_t k_first_look = 256;

// process_vm_readv(2) can be missing (CONFIG_CROSS_MEMORY_ATTACH) or refused by an outer filter.
bool use_mem_file = false;

void* remote(Word address) { return reinterpret_cast<void*>(address); }  // NOLINT(performance-no-int-to-ptr)

Fd open_mem(pid_t tid, int flags) {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%d/mem", static_cast<int>(tid));
  return Fd(::open(path, flags | O_CLOEXEC));
}

// Bytes moved or -errno.
ssize_t copy_in(pid_t tid, Word address, void* to, std::size_t size) {
  if (!use_mem_file) {
    const iovec local{to, size};
    const iovec there{remote(address), size};
    const ssize_t n = ::process_vm_readv(tid, &local, 1, &there, 1, 0);
    if (n >= 0) return n;
    if (errno != ENOSYS && errno != EPERM) return -errno;
  }
  const Fd mem = open_mem(tid, O_RDONLY);
  if (!mem) return -errno;
  const ssize_t n = ::pread(mem.get(), to, size, static_cast<off_t>(address));
  if (n > 0) use_mem_file = true;
  return n < 0 ? -EFAULT : n;
}

}  // namespace

int read_memory(pid_t tid, Word address, void* to, std::size_t size) {
  if (size == 0) return 0;
  const ssize_t n = copy_in(tid, address, to, size);
  if (n < 0) return static_cast<int>(n);
  return static_cast<std::size_t>(n) == size ? 0 : -EFAULT;
}

int write_memory(pid_t tid, Word address, const void* from, std::size_t size) {
  if (size == 0) return 0;
  ssize_t n = -1;
  if (!use_mem_file) {
    const iovec local{const_cast<void*>(from), size};
    const iovec there{remote(address), size};
    n = ::process_vm_writev(tid, &local, 1, &there, 1, 0);
    if (n < 0 && errno != ENOSYS && errno != EPERM) return -errno;
  }
  if (n < 0) {
    // The file would write to read-only pages too; a guest's bad pointer must stay EFAULT, so read it first. Memory
    // that can be read but not written is the one difference on such hosts.
    const Fd mem = open_mem(tid, O_RDWR);
    if (!mem) return -errno;
    n = ::pwrite(mem.get(), from, size, static_cast<off_t>(address));
  }
  return n >= 0 && static_cast<std::size_t>(n) == size ? 0 : -EFAULT;
}

int read_text(pid_t tid, Word address, char* to, std::size_t capacity, std::size_t& length) {
  length = 0;
  std::size_t look = k_first_look;
  while (length < capacity) {
    const std::size_t to_page_end = k_page_size - static_cast<std::size_t>((address + length) % k_page_size);
    const std::size_t want = std::min({to_page_end, look, capacity - length});
    const ssize_t n = copy_in(tid, address + length, to + length, want);
    if (n <= 0) return n == 0 ? -EFAULT : static_cast<int>(n);
    const void* end = std::memchr(to + length, '\0', static_cast<std::size_t>(n));
    if (end != nullptr) {
      length = static_cast<std::size_t>(static_cast<const char*>(end) - to);
      return 0;
    }
    length += static_cast<std::size_t>(n);
    look = k_page_size;
  }
  return -ENAMETOOLONG;
}

}  // namespace udk::engine
