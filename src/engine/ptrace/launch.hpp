#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "container/run_spec.hpp"
#include "engine/ptrace/listener.hpp"

namespace udk::engine {

// How the guest's calls are brought to a stop.
enum class Interception : unsigned char {
  notify,   // a filter reports the calls that matter, and hands over those that are answered (seccomp_unotify(2))
  seccomp,  // a filter reports the calls that matter
  every     // no filter can be had: all calls stop, twice
};

// Memory for the path of the first exec, at the same address in the child as here.
struct LaunchScratch {
  static std::uint64_t address();
};

// The first process, stopped before its exec and already traced.
struct Launched {
  pid_t pid = 0;
  Fd failure;  // what the child says if it cannot begin: step and errno
};

// Forks the first process, which waits until it is traced, then installs the filter and execs the program. `host_cwd`
// is the host path of the guest's working directory.
Result<Launched> launch(const container::RunSpec& spec, const std::string& host_cwd, Interception how,
                        const std::vector<sock_filter>& filter);

// The notifications of the first process' filter; it has installed it and is stopped.
Result<Listener> take_listener(pid_t pid);

// The error of a first process that ended before its program began. `problem`: why its exec failed, "" if that is
// plain.
Error launch_error(const Launched& launched, const container::RunSpec& spec, const std::string& problem);

// The best way that this host allows, found out by doing it, but none better than `best`.
Result<Interception> probe_interception(Interception best);

}  // namespace udk::engine
