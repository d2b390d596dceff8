#include "cli/prompt.hpp"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>

#include "base/scope.hpp"

namespace udk::cli {
namespace {

constexpr std::size_t k_max_input = std::size_t{64} << 10;

// The terminal shows nothing while this lives. Its signals wait, so that none ends udocker with a terminal left like
// that.
class NoEcho {
 public:
  NoEcho() {
    if (::tcgetattr(STDIN_FILENO, &old_) != 0) return;
    termios quiet = old_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    active_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~NoEcho() {
    if (active_) (void)::tcsetattr(STDIN_FILENO, TCSAFLUSH, &old_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  [[nodiscard]] bool active() const { return active_; }
  // What the terminal would have made a signal of.
  [[nodiscard]] bool interrupts(char c) const {
    return active_ && (c == static_cast<char>(old_.c_cc[VINTR]) || c == static_cast<char>(old_.c_cc[VQUIT]));
  }

 private:
  termios old_{};
  bool active_ = false;
};

void say(std::string_view text) { (void)!::write(STDERR_FILENO, text.data(), text.size()); }

// One byte; none at the end.
Result<std::optional<char>> next_byte() {
  char c = 0;
  for (;;) {
    const ssize_t n = ::read(STDIN_FILENO, &c, 1);
    if (n == 1) return c;
    if (n == 0) return std::optional<char>();
    if (errno != EINTR) return fail_errno(errno, "standard input");
  }
}

Result<std::string> read_line(const NoEcho* quiet) {
  std::string line;
  for (;;) {
    TRY_ASSIGN(const auto c, next_byte());
    if (!c && line.empty()) return fail(Code::usage, "the input has ended before an answer");
    if (!c || *c == '\n') return line;
    if (quiet != nullptr && quiet->interrupts(*c)) return fail_errno(EINTR, "interrupted");
    if (line.size() >= k_max_input) return fail(Code::usage, "the answer is too long");
    line += *c;
  }
}

}  // namespace

Result<std::string> ask(std::string_view question, Echo echo) {
  say(question);
  if (echo == Echo::on) return read_line(nullptr);
  const NoEcho quiet;
  auto line = read_line(&quiet);
  if (quiet.active()) say("\n");
  return line;
}

Result<std::string> read_stdin() {
  std::string all;
  for (;;) {
    TRY_ASSIGN(const auto c, next_byte());
    if (!c) break;
    if (all.size() >= k_max_input) return fail(Code::usage, "the input is too long for a password");
    all += *c;
  }
  if (all.ends_with('\n')) all.pop_back();
  if (all.ends_with('\r')) all.pop_back();
  return all;
}

}  // namespace udk::cli
