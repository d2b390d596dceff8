#include "engine/ptrace/launch.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>

#include "engine/ptrace/filter.hpp"
#include "engine/ptrace/loader_image.hpp"
#include "engine/ptrace/memory.hpp"

namespace udk::engine {
namespace {

alignas(4096) std::array<char, k_slot_size * k_slot_count> launch_scratch;  // touched by what needs it alone

// The child's listener, in the child's memory, where the tracer reads it: nothing else can be said by a process whose
// calls are already filtered.
volatile int listener_number = -1;

constexpr unsigned k_options = PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                               PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP;

enum class Step : int { directory, cpus, privileges, filter, program };

struct Failure {
  Step step;
  int error;
};

// What the child runs between fork and exec: system calls alone.
struct Child {
  std::array<int, 2> go;
  int failure;
  const char* cwd;
  const cpu_set_t* cpus;     // null: as inherited
  const sock_fprog* filter;  // null: none can be had
  bool notify;
  const char* program;
  char* const* argv;
  char* const* envp;
  const sigset_t* mask;

  [[noreturn]] void fail(Step step) const {
    const Failure f{step, errno};
    (void)!::write(failure, &f, sizeof f);
    ::_exit(127);
  }
  [[noreturn]] void run() const {
    ::close(go[1]);
    char byte = 0;
    if (::read(go[0], &byte, 1) != 1) ::_exit(127);  // the tracer is gone
    if (::chdir(cwd) != 0) fail(Step::directory);
    if (cpus != nullptr && ::sched_setaffinity(0, sizeof *cpus, cpus) != 0) fail(Step::cpus);
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail(Step::privileges);
    ::sigprocmask(SIG_SETMASK, mask, nullptr);
    if (filter != nullptr && notify) {
      listener_number = install_with_listener(*filter);
      if (listener_number < 0) fail(Step::filter);
    } else if (filter != nullptr) {
      if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter) != 0) fail(Step::filter);
    } else {
      ::kill(::getpid(), SIGSTOP);  // tells the tracer that the guest's own calls begin; it takes the signal away
    }
    ::execve(program, argv, envp);
    fail(Step::program);
  }
};

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::uint64_t LaunchScratch::address() { return reinterpret_cast<std::uint64_t>(launch_scratch.data()); }

Result<Launched> launch(const container::RunSpec& spec, const std::string& host_cwd, Interception how,
                        const std::vector<sock_filter>& filter) {
  std::array<int, 2> go{};
  std::array<int, 2> failure{};
  if (::pipe2(go.data(), O_CLOEXEC) != 0) return fail_errno(errno, "pipe");
  Fd go_read(go[0]);
  Fd go_write(go[1]);
  if (::pipe2(failure.data(), O_CLOEXEC) != 0) return fail_errno(errno, "pipe");
  Fd failure_read(failure[0]);
  Fd failure_write(failure[1]);

  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (const unsigned cpu : spec.cpus)
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
  const sock_fprog program{static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
  const std::vector<char*> argv = pointers(spec.argv);
  const std::vector<char*> envp = pointers(spec.env);
  sigset_t all;
  sigset_t mask;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &mask);
  const Child child{go,
                    failure[1],
                    host_cwd.c_str(),
                    spec.cpus.empty() ? nullptr : &cpus,
                    how == Interception::every ? nullptr : &program,
                    how == Interception::notify,
                    spec.program.c_str(),
                    argv.data(),
                    envp.data(),
                    &mask};
  const pid_t pid = ::fork();
  if (pid == 0) child.run();
  const int fork_error = errno;
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  if (pid < 0) return fail_errno(fork_error, "fork");
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, k_options) != 0) {
    const int error = errno;
    go_write.reset();
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return fail_errno(error, "ptrace is refused on this host");
  }
  (void)!::write(go_write.get(), "", 1);
  return Launched{pid, std::move(failure_read)};
}

Result<Listener> take_listener(pid_t pid) {
  int number = -1;
  const auto place = reinterpret_cast<Word>(&listener_number);
  if (const int e = read_object(pid, place, number); e != 0) return fail_errno(-e, "reading the first process");
  return Listener::take(pid, number);
}

Error launch_error(const Launched& launched, const container::RunSpec& spec, const std::string& problem) {
  Failure f{};
  if (::read(launched.failure.get(), &f, sizeof f) != static_cast<ssize_t>(sizeof f))
    return {Code::internal, "the first process ended before its program began"};
  switch (f.step) {
    case Step::directory:
      return sys_error(f.error, "working directory " + spec.cwd);
    case Step::cpus:
      return sys_error(f.error, "setting the CPUs of the run");
    case Step::privileges:
      return sys_error(f.error, "PR_SET_NO_NEW_PRIVS");
    case Step::filter:
      return sys_error(f.error, "installing the system call filter");
    case Step::program:
      break;
  }
  Error error = sys_error(f.error, spec.program);
  if (!problem.empty()) error.text = problem;
  return error;
}

namespace {

// The probe's child: traced, it makes one call that the filter reports.
[[noreturn]] void probe_child(Interception how) {
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
  if (::raise(SIGSTOP) != 0) ::_exit(1);
  if (how != Interception::every) {
    std::array<sock_filter, 4> code = {{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                                        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_getppid},
                                        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRACE},
                                        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(2);
    if (how == Interception::notify) listener_number = install_with_listener(program);
    if (listener_number < 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) ::_exit(2);
  }
  ::syscall(SYS_getppid);
  ::_exit(0);
}

struct Probe {
  bool traced = false;    // the child could be stopped and resumed
  bool reported = false;  // the filter's stop came
  bool notified = false;  // and its listener is here
};

Probe try_tracing(Interception how) {
  Probe result;
  const pid_t pid = ::fork();
  if (pid < 0) return result;
  if (pid == 0) probe_child(how);
  int status = 0;
  while (::waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
    if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
      result.reported = true;
      result.notified = how == Interception::notify && take_listener(pid).has_value();
    }
    if (WSTOPSIG(status) == SIGSTOP)
      result.traced = ::ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) == 0 ||
                      ::ptrace(PTRACE_SETOPTIONS, pid, nullptr, 0) == 0;
    if (::ptrace(PTRACE_CONT, pid, nullptr, nullptr) != 0) ::kill(pid, SIGKILL);
  }
  return result;
}

}  // namespace

Result<Interception> probe_interception(Interception best) {
  const Probe probe = try_tracing(best);
  if (probe.notified) return Interception::notify;
  if (probe.reported) return Interception::seccomp;
  if (try_tracing(Interception::every).traced) return Interception::every;
  return fail(Code::unsupported, "this host does not allow to trace processes (ptrace is refused)");
}

}  // namespace udk::engine
