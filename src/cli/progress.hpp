#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace udk::cli {

// The state of several downloads on stderr: a row each that moves on a terminal, a line per download elsewhere, nothing
// with -q.
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
  };
  void draw();

  std::vector<Row> rows_;
  bool moving_;
  std::size_t drawn_ = 0;  // rows on the screen
  std::chrono::steady_clock::time_point last_;
};

}  // namespace udk::cli
