#include "engine/ptrace/signal_relay.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/file.hpp"

namespace udk::engine {
namespace {

// Passed on when sent to udocker alone.
constexpr std::array k_forwarded = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT, SIGWINCH};
// Never wanted here: the guest's terminal stops are followed by stop_with_payload.
constexpr std::array k_ignored = {SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGIO};

std::array<std::atomic<pid_t>, 65> pending;  // 0: none, else the sender, -1 if unknown

void on_signal(int signal, siginfo_t* info, void*) {
  // The terminal driver's signals go to every process of the group anyway.
  if (info->si_code == SI_KERNEL || info->si_code > 0) return;
  const pid_t sender =
      info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL ? info->si_pid : -1;
  pending.at(static_cast<std::size_t>(signal)) = sender == 0 ? -1 : sender;
}

bool is_stopped(pid_t pid) {
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  const std::size_t at = stat ? stat->rfind(')') : std::string::npos;
  return at != std::string::npos && at + 2 < stat->size() && ((*stat)[at + 2] == 'T' || (*stat)[at + 2] == 't');
}

// Whether the signal already waits for the payload: a signal to the process group has reached it as well.
bool waits_for(pid_t payload, int signal) {
  const auto status = read_file("/proc/" + std::to_string(payload) + "/status", 1 << 16);
  if (!status) return false;
  for (const char* field : {"\nSigPnd:\t", "\nShdPnd:\t"}) {
    const std::size_t at = status->find(field);
    if (at == std::string::npos) continue;
    const unsigned long long set = std::strtoull(status->c_str() + at + std::strlen(field), nullptr, 16);
    if ((set >> (signal - 1) & 1U) != 0) return true;
  }
  return false;
}

}  // namespace

SignalRelay::SignalRelay() {
  for (auto& p : pending) p = 0;
  struct sigaction action {};
  sigfillset(&action.sa_mask);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO;
  for (const int signal : k_forwarded) ::sigaction(signal, &action, &old_.at(static_cast<std::size_t>(signal)));
  action.sa_handler = SIG_IGN;
  action.sa_flags = 0;
  for (const int signal : k_ignored) ::sigaction(signal, &action, &old_.at(static_cast<std::size_t>(signal)));
}

SignalRelay::~SignalRelay() {
  for (const int signal : k_forwarded) ::sigaction(signal, &old_.at(static_cast<std::size_t>(signal)), nullptr);
  for (const int signal : k_ignored) ::sigaction(signal, &old_.at(static_cast<std::size_t>(signal)), nullptr);
}

void SignalRelay::forward(pid_t payload) {
  for (const int signal : k_forwarded) {
    const auto i = static_cast<std::size_t>(signal);
    const pid_t sender = pending.at(i).exchange(0);
    if (sender == 0) continue;
    const bool has_it = seen_from_.at(i) == sender;
    seen_from_.at(i) = 0;
    const bool needed = signal == SIGCONT ? is_stopped(payload) : !has_it && !waits_for(payload, signal);
    if (needed) ::kill(payload, signal);
  }
}

void SignalRelay::seen(int signal, pid_t sender) {
  if (signal > 0 && signal < 65 && sender != ::getpid()) seen_from_.at(static_cast<std::size_t>(signal)) = sender;
}

void SignalRelay::follow_stop(pid_t payload, int signal) {
  const pid_t group = ::getpgid(payload);
  const bool by_terminal = signal != SIGSTOP && group == ::getpgrp();
  if (!by_terminal) {
    const Fd terminal(::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!terminal || ::tcgetpgrp(terminal.get()) != group) return;
    signal = SIGSTOP;
  }
  struct sigaction normal {};
  struct sigaction old {};
  normal.sa_handler = SIG_DFL;
  if (signal != SIGSTOP) ::sigaction(signal, &normal, &old);
  ::raise(signal);
  if (signal != SIGSTOP) ::sigaction(signal, &old, nullptr);
}

}  // namespace udk::engine
