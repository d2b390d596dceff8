#pragma once

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <csignal>

#include "engine/ptrace/task.hpp"

// Processes that a signal has stopped (ptrace(2), "Group-stop").
namespace udk::engine {

inline bool stops_group(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

// Also if the tracer has not come to the stop, or its end, yet.
inline bool is_stopped(const Task& task) {
  siginfo_t info{};
  const bool waits = ::waitid(P_PID, static_cast<id_t>(task.tid), &info, WSTOPPED | WNOHANG | WNOWAIT | __WALL) == 0;
  if (!waits || info.si_pid != task.tid || info.si_status >> 8 != PTRACE_EVENT_STOP) return task.stopped;
  return stops_group(info.si_status & 0xff);
}

}  // namespace udk::engine
