#pragma once

#include <signal.h>

namespace udk::cli {

// True once SIGINT, SIGTERM or SIGHUP has arrived inside an InterruptScope.
bool interrupted();
// The number of that signal, 0 for none.
int interrupting_signal();

// While it lives these signals only set the mark: the work ends by itself and cleans up.
class InterruptScope {
 public:
  InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
  ~InterruptScope();

 private:
  struct sigaction old_[3];
};

}  // namespace udk::cli
