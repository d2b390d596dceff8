#pragma once

#include "engine/ptrace/task.hpp"

namespace udk::engine {

// Before a signal is delivered. A process that has made itself undumpable (prctl(PR_SET_DUMPABLE)), which the kernel
// does not know of, must leave no core file: it may hold secrets.
void withhold_core(const Task& task, int signal);

}  // namespace udk::engine
