#pragma once

#include <sys/stat.h>

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace udk::transfer {

// What to do with a file that exists.
enum class Existing { refuse, replace };

// A file that appears under its name only when it is whole. Where the file system can, nothing is to be seen of it
// before, and nothing is left after a kill. Only one that takes the place of another is written to the disk before:
// after a crash of the machine there is the old or the new one. What is no regular file (FIFOs, devices, links of
// /proc/self/fd) is written to as it is, with Existing::replace.
class OutputFile {
 public:
  // Code::exists; Code::usage if it is a terminal.
  static Result<OutputFile> open(const std::string& path, Existing existing);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  [[nodiscard]] int fd() const { return fd_.get(); }
  Result<> publish();

 private:
  enum class Way { link, rename, in_place };
  OutputFile(std::string path, std::string staged, Fd fd, Way way)
      : path_(std::move(path)), staged_(std::move(staged)), fd_(std::move(fd)), way_(way) {}
  static Result<OutputFile> open_beside(const std::string& path, Way way);
  static Result<OutputFile> open_existing(const std::string& path, const struct stat& status);
  Result<> close_staged();
  Result<> publish_as_new();
  Result<> publish_over();

  std::string path_;
  std::string staged_;  // a name beside it, "" for a file without one
  Fd fd_;
  Way way_;
};

// Code::usage if it is a terminal, where nobody wants an archive.
Result<> check_no_terminal(int fd);

}  // namespace udk::transfer
