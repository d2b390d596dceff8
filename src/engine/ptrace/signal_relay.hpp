#pragma once

#include <sys/types.h>

#include <array>
#include <csignal>

// Signals that udocker itself gets while a guest runs. Those of the terminal reach the whole foreground group, the
// guest included, so they are only kept from ending udocker; those sent to udocker alone are passed on to the payload.
namespace udk::engine {

class SignalRelay {
 public:
  // Installs the handlers; the destructor puts the former ones back.
  SignalRelay();
  ~SignalRelay();
  SignalRelay(const SignalRelay&) = delete;
  SignalRelay& operator=(const SignalRelay&) = delete;

  // Hands what came in to the payload. Called from the wait loop.
  void forward(pid_t payload);
  // The payload got this signal from `sender` by itself: one from the same sender to its whole group is not passed on.
  void seen(int signal, pid_t sender);
  // The payload has stopped. If the terminal waits for it, udocker stops as well, so that the shell, which knows only
  // udocker, takes over; returns when continued.
  static void follow_stop(pid_t payload, int signal);

 private:
  std::array<struct sigaction, 65> old_{};
  std::array<pid_t, 65> seen_from_{};
};

}  // namespace udk::engine
