#include "store/hash_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <vector>

namespace udk::store {

Result<std::uint64_t> hash_rest(int fd, Hasher& hasher) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return fail_errno(errno, "fstat");
  if (!S_ISREG(st.st_mode)) return fail(Code::corrupt, "not a regular file");
  (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  std::vector<std::byte> buffer(std::size_t{256} << 10);
  std::uint64_t total = 0;
  for (;;) {
    auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "read");
    if (got == 0) return total;
    auto size = static_cast<std::size_t>(got);
    hasher.update(std::span<const std::byte>(buffer.data(), size));
    total += size;
  }
}

}  // namespace udk::store
