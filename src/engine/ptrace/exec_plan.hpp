#pragma once

#include <elf.h>

#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "engine/ptrace/call_stop.hpp"
#include "xlate/elf.hpp"

// What an exec of a guest will put into memory: decided, with all errors that execve(2) can have, before the guest's
// old program is gone.
namespace udk::engine {

// One ELF file to map.
struct ExecFile {
  std::string host;     // what the loader opens: the tracer's own descriptor, as the name may mean another file by then
  Fd file;              // kept open for it
  Elf64_Ehdr header{};  // of i386 files too, as the segments
  std::vector<Elf64_Phdr> segments;
  xlate::ElfImage image;
};

struct ExecPlan {
  std::string program;             // guest path of the program, after scripts
  std::string exec_name;           // what AT_EXECFN shows: the path as the guest gave it
  std::string comm;                // the thread's name
  std::vector<std::string> front;  // words that replace argv[0] if the program is a script
  ExecFile executable;
  ExecFile interpreter;  // image.high == 0: none
  const LoaderImage* loader = nullptr;
  std::optional<uid_t> set_uid;  // of a set-user-id program
  std::optional<gid_t> set_gid;
  std::string problem;  // if the plan failed by something else than the file itself: why, for the user
};

// Follows scripts and PT_INTERP from the file that `at` names (`text`: the path as the guest gave it). 0 or -errno.
int make_exec_plan(CallStop& stop, const xlate::Resolution& at, std::string_view text, ExecPlan& plan);

// The memory image that the loader's commands build, written into the stopped guest (at its exec event) with the
// changed auxiliary vector; registers are set to begin. 0 or -errno.
int write_exec_plan(Run& run, Task& task, const ExecPlan& plan, Registers& regs);

}  // namespace udk::engine
