#include "base/subprocess.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/path.hpp"
#include "base/scope.hpp"
#include "base/text.hpp"

namespace udk {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How soon a cancellation, or the end of a process whose stdout others hold open, is seen.
constexpr milliseconds k_tick{50};

struct Pipe {
  Fd read_end, write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return fail_errno(errno, "pipe");
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

// The reading end of a pipe that holds the text already: nobody has to feed it, and no SIGPIPE can come of it.
Result<Fd> pipe_with(const std::string& text) {
  if (text.size() > PIPE_BUF) return fail(Code::internal, "too much input for a child process");
  TRY_ASSIGN(auto pipe, make_pipe());
  TRY(write_all(pipe.write_end.get(), as_bytes(text)));
  return std::move(pipe.read_end);
}

Result<pid_t> spawn(const std::string& program, const std::vector<std::string>& argv, int in_fd, int out_fd) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  ScopeExit destroy_actions([&] { posix_spawn_file_actions_destroy(&actions); });
  posix_spawn_file_actions_adddup2(&actions, in_fd, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  ScopeExit destroy_attributes([&] { posix_spawnattr_destroy(&attributes); });
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  int err = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, words.data(), environ);
  if (err != 0) return fail_errno(err, argv[0]);
  return pid;
}

// A child whose output is read until it has ended.
class Child {
 public:
  Child(pid_t pid, Fd out, const std::string& name, const RunOptions& options)
      : pid_(pid), out_(std::move(out)), name_(name), options_(options), deadline_(Clock::now() + options.timeout) {}

  Result<CapturedRun> wait() {
    auto done = collect();
    if (!done) ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, &run_.status, 0) < 0 && errno == EINTR) {
    }
    if (!done) return fail(std::move(done).error());
    return std::move(run_);
  }

 private:
  Result<> collect() {
    // The end of a process follows that of its output at once, mostly.
    for (milliseconds pause{1};; pause = std::min(pause * 2, k_tick)) {
      // Asked before the last look into the pipe: what was written before the end is there then.
      const bool ended = has_ended();
      TRY(read_what_is_there(ended ? milliseconds(0) : pause));
      if (ended) return {};
      if (options_.cancelled && options_.cancelled()) return fail(Error(Code::io, EINTR, name_ + ": interrupted"));
      if (Clock::now() >= deadline_) return fail(Code::busy, name_ + ": no answer in time");
    }
  }

  // Without reaping it: its number, and with it that of its group, stays taken.
  [[nodiscard]] bool has_ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
  }

  Result<> read_what_is_there(milliseconds patience) {
    pollfd ready{out_ ? out_.get() : -1, POLLIN, 0};
    while (::poll(&ready, 1, static_cast<int>(patience.count())) > 0) {
      std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
      auto got = ::read(out_.get(), buffer.data(), buffer.size());
      if (got < 0) return fail_errno(errno, "read from child");
      if (got == 0) {
        out_.reset();
        return {};
      }
      if (run_.out.size() + static_cast<std::size_t>(got) > options_.limit)
        return fail(Code::corrupt, name_ + ": more than " + std::to_string(options_.limit) + " bytes of output");
      run_.out.append(buffer.data(), static_cast<std::size_t>(got));
      patience = milliseconds(0);
    }
    return {};
  }

  pid_t pid_;
  Fd out_;
  const std::string& name_;
  const RunOptions& options_;
  Clock::time_point deadline_;
  CapturedRun run_;
};

}  // namespace

Result<CapturedRun> run_captured(const std::vector<std::string>& argv, const RunOptions& options) {
  const char* path = std::getenv("PATH");
  auto program = find_executable(argv.at(0), path ? path : "/usr/bin:/bin");
  if (program.empty()) return fail(Code::not_found, argv[0] + ": command not found");
  TRY_ASSIGN(Fd input, pipe_with(options.input));
  TRY_ASSIGN(auto output, make_pipe());
  TRY_ASSIGN(pid_t pid, spawn(program, argv, input.get(), output.write_end.get()));
  output.write_end.reset();
  return Child(pid, std::move(output.read_end), argv[0], options).wait();
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
