#include "engine/ptrace/listener.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

// Newer than the headers of Debian 12.
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

namespace udk::engine {

int install_with_listener(const sock_fprog& filter) {
  constexpr unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter));
}

Result<Listener> Listener::take(pid_t pid, int number) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return fail_errno(errno, "pidfd_open");
  Listener listener;
  listener.fd_.reset(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)));
  if (!listener.fd_) return fail_errno(errno, "pidfd_getfd");
  // Without it (before 6.6) all works, more slowly.
  (void)::ioctl(listener.fd(), SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
  return listener;
}

bool Listener::receive(seccomp_notif& call) const {
  call = {};  // the kernel wants it empty
  return ::ioctl(fd(), SECCOMP_IOCTL_NOTIF_RECV, &call) == 0;
}

// ENOENT, that the thread was killed, is no error.
void Listener::reply(const seccomp_notif_resp& response) const {
  seccomp_notif_resp copy = response;
  (void)::ioctl(fd(), SECCOMP_IOCTL_NOTIF_SEND, &copy);
}

void Listener::answer(std::uint64_t id, long result) const { reply({.id = id, .val = result, .error = 0, .flags = 0}); }

void Listener::let_run(std::uint64_t id) const {
  reply({.id = id, .val = 0, .error = 0, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE});
}

int Listener::give(std::uint64_t id, const Fd& file, bool close_on_exec) const {
  seccomp_notif_addfd add{};
  add.id = id;
  add.srcfd = static_cast<__u32>(file.get());
  add.newfd_flags = close_on_exec ? O_CLOEXEC : 0;
  const int number = ::ioctl(fd(), SECCOMP_IOCTL_NOTIF_ADDFD, &add);
  return number >= 0 ? number : -errno;
}

}  // namespace udk::engine
