#pragma once

#include <sys/types.h>

#include <array>
#include <csignal>

// Signals that udocker itself gets while a guest runs. Those sent to it alone are passed on to the payload at once, by
// the handler, so that none waits for the payload to make a call. What reached the payload by itself (the terminal's
// signals, kill(2) on the process group) must not come twice: the copy is recognised when it is about to be delivered,
// which the tracer sees, and dropped there.
namespace udk::engine {

class SignalRelay {
 public:
  // Installs the handlers; the destructor puts the former ones back. One at a time: handlers know no objects.
  explicit SignalRelay(pid_t payload);
  ~SignalRelay();
  SignalRelay(const SignalRelay&) = delete;
  SignalRelay& operator=(const SignalRelay&) = delete;

  // The payload is gone and its number free for others: nothing is passed on any more.
  static void payload_ended();
  // A signal is about to be delivered to the payload. False: it is the copy of one that the payload got already.
  static bool wanted(int signal, const siginfo_t& info);
  // The payload has stopped. If the terminal waits for it, udocker stops as well, so that the shell, which knows only
  // udocker, takes over; returns when continued.
  static void follow_stop(pid_t payload, int signal);

 private:
  std::array<struct sigaction, 65> old_{};
};

}  // namespace udk::engine
