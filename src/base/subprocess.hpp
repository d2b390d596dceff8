#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace udk {

struct CapturedRun {
  int status = 0;  // as waitpid(2)
  std::string out;
};

struct RunOptions {
  std::chrono::milliseconds timeout{};
  std::size_t limit = std::size_t{1} << 20;  // bytes of stdout
  std::string input{};                       // stdin, at most PIPE_BUF bytes
  std::function<bool()> cancelled{};         // asked at least every 100 ms
};

// Runs argv[0] (found on PATH) without a shell, in a process group of its own, stderr dropped, and collects its stdout
// until it ends; what it leaves running behind it is not waited for. The whole group is killed when the time is over
// (Code::busy), when there is more output than allowed (Code::corrupt) and when cancelled (EINTR).
Result<CapturedRun> run_captured(const std::vector<std::string>& argv, const RunOptions& options);

// Path of an executable file found along a PATH-like list; "" if none.
std::string find_executable(const std::string& name, const std::string& path_list);

}  // namespace udk
