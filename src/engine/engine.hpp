#pragma once

#include "base/result.hpp"
#include "container/owner_book.hpp"
#include "container/run_spec.hpp"

// Ways to run a container.
namespace udk::engine {

enum class EngineChoice : unsigned char {
  ptrace,            // system calls traced; a seccomp filter keeps the others at full speed
  ptrace_stops,      // the same without notifications of the filter, even where they could be had
  ptrace_no_filter,  // system calls traced without a filter, even where one could be had
};

// Runs the payload in the foreground, as a child that shares terminal and process group, to its end; every process that
// it started ends with it. The payload's wait status (waitpid(2)). An error if it did not begin: sys_errno is then what
// execve(2) said (ENOENT, EACCES, ENOEXEC ...), Code::unsupported if this host cannot trace.
// `owners` may be null: then what a run believes of owners ends with it.
// Not to be called while other threads of this process run or children of it are unwaited for.
Result<int> run(const container::RunSpec& spec, EngineChoice choice = EngineChoice::ptrace,
                container::OwnerBook* owners = nullptr);

}  // namespace udk::engine
