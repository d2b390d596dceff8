#include "cli/progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/file.hpp"
#include "base/log.hpp"

namespace udk::cli {
namespace {

constexpr std::chrono::milliseconds k_interval{100};
constexpr int k_bar = 20;
constexpr std::size_t k_name_width = 19;  // "sha256:" and 12 digits

bool is_moving_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term && std::string_view(term) != "dumb" && log::verbosity() == 3;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t k_tenth_of_mb = 1000 * 100;
  return fmt::format("{}.{} MB", bytes / k_tenth_of_mb / 10, bytes / k_tenth_of_mb % 10);
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

void Progress::draw() {
  std::string out = drawn_ > 0 ? fmt::format("\x1b[{}A", drawn_) : "";
  for (const auto& row : rows_) {
    const auto filled =
        row.total ? static_cast<std::size_t>(static_cast<double>(row.bytes) / static_cast<double>(row.total) * k_bar)
                  : k_bar;
    std::string bar(filled < k_bar ? filled : k_bar, '=');
    bar.resize(k_bar, ' ');
    out += fmt::format("\r\x1b[K{:.{}} [{}] {} / {}{}\n", row.name, k_name_width, bar, size_text(row.bytes),
                       size_text(row.total), row.done ? " done" : "");
  }
  drawn_ = rows_.size();
  (void)write_all(STDERR_FILENO, as_bytes(out));
}

}  // namespace udk::cli
