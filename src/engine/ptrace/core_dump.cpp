#include "engine/ptrace/core_dump.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.hpp"

namespace udk::engine {
namespace {

// signal(7), "Core".
constexpr std::array k_core_signals = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                                       SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};

// Whether a set of /proc/PID/status has a signal.
bool is_in(const std::string& status, std::string_view field, int signal) {
  const std::size_t at = status.find(field);
  if (at == std::string::npos) return false;
  std::uint64_t set = 0;
  std::from_chars(status.data() + at + field.size(), status.data() + status.size(), set, 16);
  return (set >> (signal - 1) & 1U) != 0;
}

}  // namespace

void withhold_core(const Task& task, int signal) {
  if (task.memory->dumpable || std::find(k_core_signals.begin(), k_core_signals.end(), signal) == k_core_signals.end())
    return;
  const auto status = read_file("/proc/" + std::to_string(task.tid) + "/status", 65536);
  if (!status || is_in(*status, "\nSigCgt:\t", signal) || is_in(*status, "\nSigIgn:\t", signal)) return;
  rlimit limit{};
  if (::prlimit(task.tgid, RLIMIT_CORE, nullptr, &limit) != 0) return;
  limit.rlim_cur =
      std::min<rlim_t>(limit.rlim_max, 1);  // too little for a file, and "none" for a core_pattern with a pipe
  (void)::prlimit(task.tgid, RLIMIT_CORE, &limit, nullptr);
}

}  // namespace udk::engine
