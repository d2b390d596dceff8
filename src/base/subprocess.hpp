#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace udk {

struct CapturedRun {
  int status = 0;  // as waitpid(2)
  std::string out;
};

// Runs argv[0] (found on PATH) without a shell, stdin from /dev/null, stderr dropped, and collects at most `limit`
// bytes of stdout. Killed after `timeout` (Code::busy).
Result<CapturedRun> run_captured(const std::vector<std::string>& argv, std::chrono::milliseconds timeout,
                                 std::size_t limit = 1 << 20);

// Absolute path of an executable file found along a PATH-like list; "" if none.
std::string find_executable(const std::string& name, const std::string& path_list);

}  // namespace udk
