#include "engine/ptrace/signal_relay.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/fd.hpp"

namespace udk::engine {
namespace {

constexpr int k_signals = 64;
constexpr pid_t k_nobody = -1;

// What is known of a signal that was passed on: how many copies are under way, and how many of the same sender the
// payload has meanwhile got by itself.
struct Relayed {
  pid_t sender = 0;
  unsigned under_way = 0;
  unsigned direct = 0;
};

// Written by the handlers, and by wanted() while they are blocked.
std::array<Relayed, k_signals + 1> relayed;
std::atomic<pid_t> payload_pid{0};

// Neither caught by anybody, nor faults of udocker itself, nor news of its children.
bool stays_here(int signal) {
  switch (signal) {
    case SIGKILL:
    case SIGSTOP:
    case SIGCHLD:
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
    case SIGSYS:
      return true;
    default:
      return false;
  }
}

// What the kernel's terminal driver sends goes to every process of the group, except the hangup: that is for the leader
// of the session alone.
bool reaches_group(int signal) {
  switch (signal) {
    case SIGINT:
    case SIGQUIT:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
    case SIGWINCH:
    case SIGCONT:
      return true;
    case SIGHUP:
      return ::getsid(0) != ::getpid();
    default:
      return false;
  }
}

// Returns when every kill(2) on a process group that has reached this process has reached all of the group: it holds
// the lock for reading which setpgid(2), even without a change, takes for writing.
void await_group_signals() { (void)::setpgid(0, ::getpgrp()); }

// `sender`: k_nobody if no other process can have got the same signal by the same call.
void note_relayed(int signal, pid_t sender) {
  Relayed& known = relayed.at(static_cast<std::size_t>(signal));
  // Of the signals below SIGRTMIN only one can wait; the others queue.
  if (known.sender != sender || signal < SIGRTMIN) known = {sender, 0, 0};
  ++known.under_way;
}

void pass_on(pid_t payload, int signal, siginfo_t& info) {
  // With a value, and never to a group.
  if (info.si_code == SI_QUEUE && ::syscall(SYS_rt_sigqueueinfo, payload, signal, &info) == 0) return;
  if (info.si_code == SI_USER) await_group_signals();
  note_relayed(signal, info.si_code == SI_USER ? info.si_pid : k_nobody);
  ::kill(payload, signal);
}

void on_signal(int signal, siginfo_t* info, void*) {
  const int saved = errno;
  const pid_t payload = payload_pid;
  const bool by_kernel = info->si_code > 0;
  // A broken pipe, or the stop below.
  const bool by_itself = (info->si_code == SI_USER || info->si_code == SI_TKILL) && info->si_pid == ::getpid();
  const bool reached_it = by_kernel && reaches_group(signal);
  if (payload != 0 && !by_itself && !reached_it) pass_on(payload, signal, *info);
  errno = saved;
}

// Blocks the handlers while it lives.
class HandlersBlocked {
 public:
  HandlersBlocked() {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &old_);
  }
  ~HandlersBlocked() { ::sigprocmask(SIG_SETMASK, &old_, nullptr); }
  HandlersBlocked(const HandlersBlocked&) = delete;
  HandlersBlocked& operator=(const HandlersBlocked&) = delete;

 private:
  sigset_t old_{};
};

}  // namespace

SignalRelay::SignalRelay(pid_t payload) {
  relayed.fill({});
  payload_pid = payload;
  struct sigaction action {};
  sigfillset(&action.sa_mask);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  for (int signal = 1; signal <= k_signals; ++signal)
    if (!stays_here(signal)) ::sigaction(signal, &action, &old_.at(static_cast<std::size_t>(signal)));
}

SignalRelay::~SignalRelay() {
  payload_pid = 0;
  for (int signal = 1; signal <= k_signals; ++signal)
    if (!stays_here(signal)) ::sigaction(signal, &old_.at(static_cast<std::size_t>(signal)), nullptr);
}

void SignalRelay::payload_ended() { payload_pid = 0; }

bool SignalRelay::wanted(int signal, const siginfo_t& info) {
  if (info.si_code != SI_USER || signal < 1 || signal > k_signals) return true;
  const bool copy = info.si_pid == ::getpid();
  if (!copy) await_group_signals();  // this process' own signal of the same kill(2) has been noted now
  const HandlersBlocked blocked;
  Relayed& known = relayed.at(static_cast<std::size_t>(signal));
  if (!copy) {
    if (known.sender == info.si_pid && known.direct < known.under_way) ++known.direct;
    return true;
  }
  if (known.under_way > 0) --known.under_way;
  if (known.direct == 0) return true;
  --known.direct;
  return false;
}

namespace {

// The terminal driver's stop of the whole group: this process stops by the same signal.
void stop_by(int signal) {
  struct sigaction normal {};
  struct sigaction old {};
  normal.sa_handler = SIG_DFL;
  ::sigaction(signal, &normal, &old);
  ::raise(signal);
  ::sigaction(signal, &old, nullptr);
}

// A shell inside that has the terminal for a group of its own stops ("suspend"). The shell outside gives the terminal
// back to the group that it knows, this process'; it belongs to the one inside.
void stop_with_foreground(pid_t group) {
  const Fd terminal(::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!terminal || ::tcgetpgrp(terminal.get()) != group) return;
  ::raise(SIGSTOP);
  const HandlersBlocked blocked;  // SIGTTOU too, so that the call cannot end in a stop
  if (group != ::getpgrp() && ::tcgetpgrp(terminal.get()) == ::getpgrp()) (void)::tcsetpgrp(terminal.get(), group);
}

}  // namespace

void SignalRelay::follow_stop(pid_t payload, int signal) {
  const pid_t group = ::getpgid(payload);
  if (signal != SIGSTOP && group == ::getpgrp())
    stop_by(signal);
  else
    stop_with_foreground(group);
}

}  // namespace udk::engine
