#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace udk::container {

// A directory of one run for generated files: `udocker-<boot>-<pid>-<random>` in the temporary directory, mode 0700,
// made when the first file is written and removed with all content at the end of the object's life. It is locked as
// long as the process lives: those of killed ones are removed when the next is made.
class ScratchDir {
 public:
  ScratchDir() = default;
  explicit ScratchDir(std::string parent) : parent_(std::move(parent)) {}
  ScratchDir(ScratchDir&& other) noexcept
      : parent_(std::move(other.parent_)),
        path_(std::exchange(other.path_, std::string())),
        lock_(std::move(other.lock_)) {}
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
  Result<> make();

  std::string parent_, path_;
  Fd lock_;  // the directory itself
};

}  // namespace udk::container
