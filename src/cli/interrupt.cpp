#include "cli/interrupt.hpp"

#include <array>
#include <csignal>

namespace udk::cli {
namespace {

volatile std::sig_atomic_t g_signal = 0;
constexpr std::array<int, 3> k_signals{SIGINT, SIGTERM, SIGHUP};

void note(int signal) { g_signal = signal; }

}  // namespace

bool interrupted() { return g_signal != 0; }
int interrupting_signal() { return g_signal; }

InterruptScope::InterruptScope() {
  struct sigaction action {};
  action.sa_handler = note;
  for (std::size_t i = 0; i < k_signals.size(); ++i) {
    ::sigaction(k_signals[i], nullptr, &old_[i]);
    // nohup and background jobs of a shell ignore some: they stay ignored.
    if (old_[i].sa_handler != SIG_IGN) ::sigaction(k_signals[i], &action, nullptr);
  }
}

InterruptScope::~InterruptScope() {
  for (std::size_t i = 0; i < k_signals.size(); ++i) ::sigaction(k_signals[i], &old_[i], nullptr);
}

}  // namespace udk::cli
