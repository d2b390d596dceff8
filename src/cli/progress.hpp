#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace udk::cli {

// The state of several downloads on stderr. On a terminal: a line for each that is done, below them a row that moves
// for each that is under way, no more rows than the window has. Elsewhere a line per download, nothing with -q.
class Progress {
 public:
  Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // Leaves the final state on the screen.
  ~Progress();

  // A new row; `total` in bytes.
  std::size_t add(const std::string& name, std::uint64_t total);
  void update(std::size_t row, std::uint64_t bytes);
  void done(std::size_t row);

 private:
  struct Row {
    std::string name;
    std::uint64_t total = 0;
    std::uint64_t bytes = 0;
    bool done = false;
    bool left = false;  // its last line is written and is not touched any more
  };
  void draw();
  // The lines of those that are done since the last time, and the rows that move below them.
  std::string take_done(std::size_t columns);
  std::string moving_rows(std::size_t columns, std::size_t most);

  std::vector<Row> rows_;
  bool moving_;
  std::size_t drawn_ = 0;  // rows on the screen that move
  std::chrono::steady_clock::time_point last_;
};

}  // namespace udk::cli
