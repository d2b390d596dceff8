#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/file.hpp"
#include "engine/engine.hpp"
#include "engine/ptrace/listener.hpp"
#include "unit/engine/guest_tree.hpp"

// The life of a run: how it begins, ends, and what is left behind.
namespace udk::engine::test {
namespace {

// Calls engine::run in a child (it becomes the tracer) and gives back what it says: the wait status, or -errno.
int run_spec(
    const container::RunSpec& spec, EngineChoice choice, const std::function<void()>& before = [] {}) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) std::abort();
  const pid_t pid = ::fork();
  if (pid == 0) {
    become_user();
    before();
    ::dup2(::open("/dev/null", O_WRONLY), 2);
    const auto result = engine::run(spec, choice);
    const int value = result ? *result : -result.error().sys_errno;
    ::_exit(::write(ends[1], &value, sizeof value) == sizeof value ? 0 : 1);
  }
  ::close(ends[1]);
  int value = -1;
  EXPECT_EQ(::read(ends[0], &value, sizeof value), static_cast<ssize_t>(sizeof value));
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  return value;
}

container::RunSpec spec_of(const GuestTree& tree, const std::vector<std::string>& words) {
  container::RunSpec spec;
  spec.root = tree.root();
  spec.program = words.front();
  spec.argv = words;
  spec.cwd = "/";
  return spec;
}

class Run : public ::testing::TestWithParam<EngineChoice> {};
INSTANTIATE_TEST_SUITE_P(
    Engines, Run, ::testing::Values(EngineChoice::ptrace, EngineChoice::ptrace_stops, EngineChoice::ptrace_no_filter),
    [](const auto& which) { return std::string(k_interceptions[static_cast<std::size_t>(which.param)]); });

TEST_P(Run, WaitStatusOfThePayload) {
  const GuestTree tree;
  auto status = [&](const char* command) { return run_spec(spec_of(tree, {"/bin/sh", "-c", command}), GetParam()); };
  EXPECT_EQ(status("exit 0"), 0);
  EXPECT_EQ(WEXITSTATUS(status("exit 77")), 77);
  EXPECT_EQ(WTERMSIG(status("kill -9 $$")), SIGKILL);
  EXPECT_EQ(WTERMSIG(status("kill -15 $$; sleep 5")), SIGTERM);
}

TEST_P(Run, WhatCannotBegin) {
  const GuestTree tree;
  tree.put("/tmp/plain", "#!/bin/sh\n", 0644);
  tree.put("/tmp/bad", "bytes", 0755);
  tree.put("/tmp/script", "#!/none\n", 0755);
  tree.put("/tmp/loop", "#!/tmp/loop\n", 0755);
  EXPECT_EQ(run_spec(spec_of(tree, {"/none"}), GetParam()), -ENOENT);
  EXPECT_EQ(run_spec(spec_of(tree, {"/tmp"}), GetParam()), -EACCES);
  EXPECT_EQ(run_spec(spec_of(tree, {"/tmp/plain"}), GetParam()), -EACCES);
  EXPECT_EQ(run_spec(spec_of(tree, {"/tmp/bad"}), GetParam()), -ENOEXEC);
  EXPECT_EQ(run_spec(spec_of(tree, {"/tmp/script"}), GetParam()), -ENOENT);
  EXPECT_EQ(run_spec(spec_of(tree, {"/tmp/loop"}), GetParam()), -ELOOP);
  container::RunSpec spec = spec_of(tree, {"/bin/true"});
  spec.cwd = "/none";
  EXPECT_EQ(run_spec(spec, GetParam()), -ENOENT);
  spec = spec_of(tree, {"/bin/true"});
  spec.binds = {{"/no/such/host/file", "/x"}};
  EXPECT_EQ(run_spec(spec, GetParam()), -ENOENT);
}

// What started us has a filter with a listener already: there can be but one.
TEST(RunBelowAListener, DoesWithStops) {
  const GuestTree tree;
  const auto listen = [] {
    std::array<sock_filter, 1> code = {{{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
    const sock_fprog program{code.size(), code.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || install_with_listener(program) < 0) ::_exit(1);
  };
  EXPECT_EQ(run_spec(spec_of(tree, {"/bin/sh", "-c", "test -e /etc/passwd && cat /etc/passwd >/dev/null"}),
                     EngineChoice::ptrace, listen),
            0);
}

TEST(RunProblem, IsToldWithItsCause) {
  const GuestTree tree;
  tree.put("/tmp/script", "#!/none\n", 0755);
  tree.put("/tmp/text", "true\n", 0755);
  EXPECT_EQ(tree.run({}, {"/tmp/script"}).out,
            "engine_run: /tmp/script: the interpreter of this script, /none, is missing in the container; install it "
            "there or correct the first line\n");
  EXPECT_NE(tree.run({}, {"/tmp/text"}).out.find("exec format error"), std::string::npos);
  EXPECT_NE(tree.run({"-v", "/dev/null:/lib64/ld-linux-x86-64.so.2"}, {"/bin/files"})
                .out.find("the loader of this program, /lib64/ld-linux-x86-64.so.2, is not executable"),
            std::string::npos);
  EXPECT_EQ(tree.run({}, {"/bin/sh", "-c", "/tmp/script; echo $?"}).out, "/bin/sh: /tmp/script: not found\n127\n");
}

TEST_P(Run, TheSpecIsHonoured) {
  const GuestTree tree;
  container::RunSpec spec = spec_of(tree, {"/bin/sh", "-c", R"sh(
    [ "$(pwd)" = /virtual/mount ] && [ "$A" = "b c" ] && [ "$(busybox uname -r)" = 9.8.7 ] && [ "$(id -u)" = 1234 ] &&
    [ "$(id -G)" = "55 66 77" ] && [ "$0" = name ] && [ -z "$1" ] && [ $# = 2 ] && [ "$(busybox nproc)" = 1 ])sh",
                                           "name", "", "x"});
  spec.env = {"A=b c", "PATH=/bin"};
  spec.binds = {{tree.host("mount"), "/virtual/mount"}};
  spec.cwd = "/virtual/mount";
  spec.kernel_release = "9.8.7";
  spec.identity = {1234, 55, {66, 77}};
  cpu_set_t set;
  ASSERT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
  for (unsigned cpu = 0; cpu < CPU_SETSIZE && spec.cpus.empty(); ++cpu)
    if (CPU_ISSET(cpu, &set)) spec.cpus = {cpu};
  EXPECT_EQ(run_spec(spec, GetParam()), 0);
}

TEST_P(Run, LeavesTheCallerAsItWas) {
  const GuestTree tree;
  const pid_t pid = ::fork();
  if (pid == 0) {
    become_user();
    struct sigaction before {};
    struct sigaction after {};
    ::sigaction(SIGINT, nullptr, &before);
    sigset_t mask;
    for (int i = 0; i < 3; ++i) {
      const auto result = engine::run(spec_of(tree, {"/bin/sh", "-c", "sleep 100 & exit 3"}), GetParam());
      if (!result || WEXITSTATUS(*result) != 3) ::_exit(1);
      if (::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) ::_exit(2);
    }
    ::sigaction(SIGINT, nullptr, &after);
    ::sigprocmask(SIG_BLOCK, nullptr, &mask);
    ::_exit(before.sa_handler == after.sa_handler && sigismember(&mask, SIGTERM) == 0 ? 0 : 3);
  }
  int status = -1;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
}

// The driver as a background process that a test can send signals to. It prints to a pipe.
class Background {
 public:
  Background(const GuestTree& tree, const std::string& command, const std::vector<std::string>& options = {}) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
    std::vector<std::string> words = {engine_run()};
    words.insert(words.end(), options.begin(), options.end());
    for (const std::string& word :
         {std::string("-v"), std::string("/proc:/proc"), std::string("-v"), std::string("/dev:/dev"), tree.root(),
          std::string("/bin/sh"), std::string("-c"), command})
      words.push_back(word);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setpgid(0, 0);
      become_user();
      ::dup2(ends[1], 1);
      ::execv(argv[0], argv.data());
      ::_exit(124);
    }
    ::close(ends[1]);
    in_.reset(ends[0]);
  }
  ~Background() {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  std::string line() {
    std::string text;
    char c = 0;
    while (::read(in_.get(), &c, 1) == 1 && c != '\n') text += c;
    return text;
  }
  // Everything until all writers are gone.
  std::string rest() {
    std::string text;
    char c = 0;
    while (::read(in_.get(), &c, 1) == 1) text += c;
    return text;
  }
  int status() {
    int status = -1;
    ::waitpid(pid_, &status, 0);
    return status;
  }

 private:
  pid_t pid_ = -1;
  Fd in_;
};

TEST(RunSignals, SentToUdockerReachThePayload) {
  const GuestTree tree;
  for (const auto& [signal, name] : std::vector<std::pair<int, std::string>>{
           {SIGTERM, "TERM"}, {SIGHUP, "HUP"}, {SIGUSR1, "USR1"}, {SIGINT, "INT"}, {SIGQUIT, "QUIT"}}) {
    Background run(tree, "trap 'echo got " + name + "; exit 3' " + name + "; echo ready; while :; do sleep 0.05; done");
    EXPECT_EQ(run.line(), "ready");
    ::kill(run.pid(), signal);
    EXPECT_EQ(run.line(), "got " + name);
    EXPECT_EQ(WEXITSTATUS(run.status()), 3);
  }
  Background run(tree, "echo ready; exec sleep 100");
  EXPECT_EQ(run.line(), "ready");
  ::kill(run.pid(), SIGTERM);
  EXPECT_EQ(WEXITSTATUS(run.status()), 128 + SIGTERM) << "the driver's status of a signal";
}

TEST(RunSignals, SentToTheGroupArriveOnce) {
  const GuestTree tree;
  Background run(tree, "trap 'echo once' USR1; trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done");
  EXPECT_EQ(run.line(), "ready");
  ::kill(-run.pid(), SIGUSR1);
  EXPECT_EQ(run.line(), "once");
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ::kill(run.pid(), SIGTERM);
  EXPECT_EQ(run.rest(), "");
}

TEST(RunEnd, TakesAllDescendantsAlong) {
  const GuestTree tree;
  Background run(tree, "(busybox setsid sleep 1000 &) ; (trap '' TERM HUP; sleep 1000) & sleep 1000 & echo ready");
  EXPECT_EQ(run.line(), "ready");
  EXPECT_EQ(run.rest(), "") << "the pipe ends: nobody is left who holds it";
  EXPECT_EQ(run.status(), 0);
}

TEST(RunEnd, KilledTracerLeavesNothing) {
  const GuestTree tree;
  for (const char* way : k_interceptions) {
    Background run(tree, "(busybox setsid sleep 1000 &); sleep 1000 & echo ready; sleep 1000", {"-i", way});
    EXPECT_EQ(run.line(), "ready");
    ::kill(run.pid(), SIGKILL);
    EXPECT_EQ(run.rest(), "");
  }
}

TEST(RunMany, TwoThousandProcesses) {
  const GuestTree tree;
  const Outcome outcome = tree.run({"-v", "/dev:/dev"}, {"/bin/sh", "-c", R"sh(
    i=0; while [ $i -lt 2000 ]; do sleep 3 & i=$((i+1)); done; wait; echo $i)sh"});
  EXPECT_EQ(outcome.out, "2000\n");
}

}  // namespace
}  // namespace udk::engine::test
