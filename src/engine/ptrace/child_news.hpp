#pragma once

#include <csignal>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "engine/ptrace/listener.hpp"

// Waiting for two kinds of events at once: statuses of children (waitpid(2)) and notifications of a filter.
namespace udk::engine {

class ChildNews {
 public:
  // From now on SIGCHLD is read instead of delivered; the destructor puts the former mask back.
  static Result<ChildNews> create();
  ~ChildNews();
  ChildNews(ChildNews&&) = default;
  ChildNews& operator=(ChildNews&&) = delete;
  ChildNews(const ChildNews&) = delete;
  ChildNews& operator=(const ChildNews&) = delete;

  // Waits for either, or a signal. True: a notification can be received. A listener that no process needs any more is
  // closed.
  bool wait(Listener& listener);
  // Whether children have had news since the last time; then waitpid(2) has to be asked until it knows no more.
  bool take();

 private:
  ChildNews() = default;
  Fd fd_;
  sigset_t old_{};
  bool news_ = false;
};

}  // namespace udk::engine
