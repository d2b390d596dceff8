#pragma once

#include "engine/ptrace/call_stop.hpp"

// What the tracer does around each call that it serves, so that guests can serve calls about files themselves.
namespace udk::engine {

// Takes note of the files that were to be made by calls before this one.
void before_fast_call(CallStop& stop);
// Tells the guests where the call's directory is, and lets the program jump to the runtime the next time. `given`: the
// registers before.
void after_fast_call(CallStop& stop, const Registers& given);

// Everything that is believed of files is known by inode from now on.
void begin_fast(Run& run);

}  // namespace udk::engine
