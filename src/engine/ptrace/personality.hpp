#pragma once

#include <sys/types.h>

namespace udk::engine {

// personality(2) of a stopped guest thread; 0 if it cannot be read.
unsigned personality_of(pid_t tid);

}  // namespace udk::engine
