#include "base/subprocess.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/fd.hpp"
#include "base/path.hpp"
#include "base/scope.hpp"
#include "base/text.hpp"

namespace udk {
namespace {

using Clock = std::chrono::steady_clock;

// Appends what arrives until end of file; false when the deadline passed first.
Result<bool> collect(int fd, Clock::time_point deadline, std::size_t limit, std::string& out) {
  std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd wait{fd, POLLIN, 0};
    int ready = ::poll(&wait, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) return fail_errno(errno, "poll");
    if (ready <= 0) continue;
    auto got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return true;
    if (got < 0) return fail_errno(errno, "read from child");
    if (out.size() < limit) out.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

Result<pid_t> spawn(const std::string& program, const std::vector<std::string>& argv, int out_fd) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  ScopeExit destroy([&] { posix_spawn_file_actions_destroy(&actions); });
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  int err = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, words.data(), environ);
  if (err != 0) return fail_errno(err, argv[0]);
  return pid;
}

}  // namespace

Result<CapturedRun> run_captured(const std::vector<std::string>& argv, std::chrono::milliseconds timeout,
                                 std::size_t limit) {
  const char* path = std::getenv("PATH");
  auto program = find_executable(argv.at(0), path ? path : "/usr/bin:/bin");
  if (program.empty()) return fail(Code::not_found, argv[0] + ": command not found");
  std::array<int, 2> pipe_fds{};
  if (::pipe2(pipe_fds.data(), O_CLOEXEC) != 0) return fail_errno(errno, "pipe");
  Fd read_end(pipe_fds[0]);
  Fd write_end(pipe_fds[1]);
  TRY_ASSIGN(pid_t pid, spawn(program, argv, write_end.get()));
  write_end.reset();
  CapturedRun run;
  auto finished = collect(read_end.get(), Clock::now() + timeout, limit, run.out);
  if (!finished || !*finished) ::kill(pid, SIGKILL);
  while (::waitpid(pid, &run.status, 0) < 0 && errno == EINTR) {
  }
  if (!finished) return fail(std::move(finished).error());
  if (!*finished) return fail(Code::busy, argv[0] + ": no answer in time");
  return run;
}

std::string find_executable(const std::string& name, const std::string& path_list) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? name : "";
  for (auto dir : split(path_list, ':')) {
    auto candidate = path_join(dir.empty() ? "." : dir, name);
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

}  // namespace udk
