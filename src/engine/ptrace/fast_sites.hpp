#pragma once

#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/ptrace/registers.hpp"

// Calls about files that the guest makes itself: the instruction in front of a `syscall` that is reached often becomes
// a jump into the runtime (src/guest), which answers what it can and otherwise lets the guest go on to its `syscall`.
namespace udk::engine {

struct CallStop;
struct Run;
struct Task;

// What was done to an address space. A copy of it has the same done.
struct FastSpace {
  bool ready = false;    // the runtime's data is set
  bool allowed = false;  // the runtime serves calls
  unsigned calls = 0;    // that could have been served
  Word area = 0;         // of the trampolines; 0: not known yet
  std::size_t area_size = 0;
  Word area_behind = 0;            // they lie so far behind the dynamic loader's base; 0: behind udocker's own loader
  std::vector<Word> sites;         // of each trampoline: the address of the instruction that leads to it
  std::unordered_set<Word> tried;  // behind `syscall` instructions that were looked at
  std::vector<std::pair<Word, Word>> text;  // mappings that may be changed
};

inline constexpr std::size_t k_fast_trampoline_size = 32;
inline constexpr std::size_t k_fast_area_size = 65536;  // behind dynamic loaders

// A call of x86-64 was served by the tracer, as `given` says. To be called while its thread waits.
void consider_site(Run& run, Task& task, const Registers& given);
// Where the memory for trampolines behind the dynamic loader begins; 0: there is none.
Word fast_area_of(const Task& task);
// Whether calls may be served in the task's address space: identity and root are those that the run began with.
bool may_be_fast(const Run& run, const Task& task);
// Takes the permission away if they are not any more.
void check_fast(const Run& run, Task& task);

// A thread in the runtime or on the way there, about to get a signal: its registers become those of the guest at its
// own place, before the call or after it. False: it is elsewhere.
bool leave_runtime(Task& task, Registers& regs);

}  // namespace udk::engine
