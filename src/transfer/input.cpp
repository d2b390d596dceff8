#include "transfer/input.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.hpp"

namespace udk::transfer {
namespace {

constexpr int k_look_up_ms = 200;

}  // namespace

Result<Fd> open_input(const std::string& path) {
  if (path == "-") {
    if (::isatty(STDIN_FILENO) == 1)
      return fail(Code::usage,
                  "the archive would be read from the terminal: name a file, or send it to standard input");
    Fd fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!fd) return fail_errno(errno, "standard input");
    return fd;
  }
  auto fd = open_at(AT_FDCWD, path, O_RDONLY | O_NOCTTY);
  if (!fd && fd.error().code == Code::not_found) return fail(Code::not_found, "file does not exist: " + path);
  return fd;
}

Result<std::size_t> InputSource::read(std::span<std::byte> buffer) {
  for (;;) {
    if (cancelled_ && cancelled_()) return fail_errno(EINTR, "reading the archive");
    struct pollfd wait {
      fd_, POLLIN, 0
    };
    const int ready = ::poll(&wait, 1, k_look_up_ms);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    auto got = ::read(fd_, buffer.data(), buffer.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR && errno != EAGAIN) return fail_errno(errno, "reading the archive");
  }
}

}  // namespace udk::transfer
