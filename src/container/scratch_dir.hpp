#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace udk::container {

// A directory of one run for generated files: `udocker-<pid>-<random>` in the temporary directory, mode 0700, made when
// the first file is written and removed with all content at the end of the object's life.
class ScratchDir {
 public:
  ScratchDir() = default;
  explicit ScratchDir(std::string parent) : parent_(std::move(parent)) {}
  ScratchDir(ScratchDir&& other) noexcept
      : parent_(std::move(other.parent_)), path_(std::exchange(other.path_, std::string())) {}
  ScratchDir& operator=(ScratchDir&& other) noexcept;
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  ~ScratchDir() { remove(); }

  // Writes a new file of mode 0600 and returns its path.
  Result<std::string> add_file(const std::string& name, std::string_view content);
  // "" as long as nothing was written.
  [[nodiscard]] const std::string& path() const { return path_; }
  void remove();

 private:
  std::string parent_, path_;
};

}  // namespace udk::container
