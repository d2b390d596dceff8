#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/types.h>

#include <cstdint>

#include "base/fd.hpp"
#include "base/result.hpp"

// System calls that a filter hands over for an answer, seccomp_unotify(2). That costs a third of a ptrace stop: no
// registers are moved, and each side wakes the other on the processor on which it runs itself (Linux 6.6).
namespace udk::engine {

// Installs a filter with notifications for the calling process and what it starts: the listener's descriptor in this
// process, or -1 with errno. Linux 5.19: a call that has been received is interrupted by no signal but SIGKILL. EBUSY:
// a filter of whoever started us has a listener already. Calls nothing but the kernel.
int install_with_listener(const sock_fprog& filter);

class Listener {
 public:
  Listener() = default;
  // The listener that a stopped process which we trace has as descriptor `number`.
  static Result<Listener> take(pid_t pid, int number);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] explicit operator bool() const { return static_cast<bool>(fd_); }
  void close() { fd_.reset(); }

  // The next call, whose thread waits. False: there is none (any more).
  bool receive(seccomp_notif& call) const;
  // The thread goes on with this result, as if the call had been made: a value or -errno.
  void answer(std::uint64_t id, long result) const;
  // The kernel does the call as it is.
  void let_run(std::uint64_t id) const;
  // Gives the thread a descriptor of an open file: its number there, or -errno (-EMFILE). The call still waits.
  [[nodiscard]] int give(std::uint64_t id, const Fd& file, bool close_on_exec) const;

 private:
  void reply(const seccomp_notif_resp& response) const;
  Fd fd_;
};

}  // namespace udk::engine
