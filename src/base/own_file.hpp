#pragma once

#include <sys/stat.h>

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

// Reading what belongs to the user though its mode keeps him out. `name` is one component, and no link is followed.
namespace udk {

// A regular file for reading. A mode without u+r is widened for the moment of opening.
Result<Fd> open_own_file(int dir, const std::string& name);

// A directory for reading and search. A mode without u+rx is widened as long as this lives.
class OwnDir {
 public:
  static Result<OwnDir> open(int dir, const std::string& name);
  OwnDir(OwnDir&& other) noexcept = default;
  OwnDir& operator=(OwnDir&&) = delete;
  ~OwnDir();

  [[nodiscard]] int fd() const { return fd_.get(); }
  // As it was before it was opened.
  [[nodiscard]] const struct stat& status() const { return status_; }

 private:
  OwnDir(Fd fd, const struct stat& status) : fd_(std::move(fd)), status_(status) {}
  Fd fd_;
  struct stat status_;
};

}  // namespace udk
