#pragma once

#include <fcntl.h>

#include <cstdlib>
#include <string>

#include "base/file.hpp"

namespace udk::test {

// A scratch directory that lives as long as the object.
class TempDir {
 public:
  TempDir() : TempDir(std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") {}
  explicit TempDir(const std::string& base) {
    path_ = base + "/udocker-unit-XXXXXX";
    if (!::mkdtemp(path_.data())) std::abort();
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { (void)remove_tree_at(AT_FDCWD, path_); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace udk::test
