#include "cli/progress.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/file.hpp"
#include "base/log.hpp"

namespace udk::cli {
namespace {

constexpr std::chrono::milliseconds k_interval{100};
constexpr std::size_t k_bar = 20;
constexpr unsigned short k_fewest_rows = 2;
constexpr std::size_t k_name_width = 19;  // "sha256:" and 12 digits

bool is_moving_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term && std::string_view(term) != "dumb" && log::verbosity() == 3;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t k_tenth_of_mb = 1000 * 100;
  return fmt::format("{}.{} MB", bytes / k_tenth_of_mb / 10, bytes / k_tenth_of_mb % 10);
}

std::string row_text(const std::string& name, std::uint64_t bytes, std::uint64_t total) {
  const auto filled =
      total ? static_cast<std::size_t>(static_cast<double>(bytes) / static_cast<double>(total) * k_bar) : k_bar;
  std::string bar(filled < k_bar ? filled : k_bar, '=');
  bar.resize(k_bar, ' ');
  return fmt::format("{:.{}} [{}] {} / {}", name, k_name_width, bar, size_text(bytes), size_text(total));
}

struct Window {
  std::size_t rows = 24, columns = 80;
};

Window window_of_terminal() {
  Window out;
  struct winsize size {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return out;
  // A window that does not know its size says 0.
  if (size.ws_row >= k_fewest_rows) out.rows = size.ws_row;
  if (size.ws_col > 0) out.columns = size.ws_col;
  return out;
}

// A line that does not wrap: what is drawn is counted in lines.
std::string cut(std::string text, std::size_t columns) {
  if (text.size() >= columns) text.resize(columns - 1);
  return text + "\n";
}

}  // namespace

Progress::Progress() : moving_(is_moving_terminal()), last_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  if (moving_) draw();
}

std::size_t Progress::add(const std::string& name, std::uint64_t total) {
  rows_.push_back({name, total});
  if (!moving_) log::info("downloading layer {}", name);
  return rows_.size() - 1;
}

void Progress::update(std::size_t row, std::uint64_t bytes) {
  rows_[row].bytes = bytes;
  const auto now = std::chrono::steady_clock::now();
  if (!moving_ || now - last_ < k_interval) return;
  last_ = now;
  draw();
}

void Progress::done(std::size_t row) {
  rows_[row].bytes = rows_[row].total;
  rows_[row].done = true;
  if (moving_) draw();
}

std::string Progress::take_done(std::size_t columns) {
  std::string out;
  for (auto& row : rows_) {
    if (!row.done || row.left) continue;
    row.left = true;
    out += cut(row_text(row.name, row.bytes, row.total) + " done", columns);
  }
  return out;
}

std::string Progress::moving_rows(std::size_t columns, std::size_t most) {
  std::string out;
  std::size_t waiting = 0;
  drawn_ = 0;
  for (const auto& row : rows_) {
    if (row.done) continue;
    if (row.bytes == 0 || drawn_ + 1 >= most) {
      ++waiting;
      continue;
    }
    out += cut(row_text(row.name, row.bytes, row.total), columns);
    ++drawn_;
  }
  if (waiting == 0) return out;
  ++drawn_;
  return out + cut(fmt::format("{} more", waiting), columns);
}

void Progress::draw() {
  const auto window = window_of_terminal();
  std::string out = drawn_ > 0 ? fmt::format("\x1b[{}A\r\x1b[J", drawn_) : "";
  out += take_done(window.columns);
  // One line stays for the cursor.
  out += moving_rows(window.columns, window.rows - 1);
  (void)write_all(STDERR_FILENO, as_bytes(out));
}

}  // namespace udk::cli
