#pragma once

#include <string>

#include "archive/plain_tar.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "transfer/input.hpp"

namespace udk::transfer {

// A file that appears under its name only when it is whole. Where the file system can, nothing is to be seen of it
// before, and nothing is left after a kill.
class OutputFile {
 public:
  // Code::exists.
  static Result<OutputFile> open(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  [[nodiscard]] int fd() const { return fd_.get(); }
  Result<> publish();

 private:
  OutputFile(std::string path, std::string staged, Fd fd)
      : path_(std::move(path)), staged_(std::move(staged)), fd_(std::move(fd)) {}
  std::string path_;
  std::string staged_;  // a name beside it, "" for a file without one
  Fd fd_;
};

// Writes a tar archive to a file or pipe.
class TarOutput {
 public:
  TarOutput(int fd, Cancelled cancelled) : fd_(fd), cancelled_(std::move(cancelled)) {}

  Result<> directory(const std::string& name);
  Result<> text(const std::string& name, std::string_view content);
  Result<> hard_link(const std::string& name, const std::string& target);
  // The content of the file `path`, which must have `size` bytes.
  Result<> file(const std::string& name, const std::string& path, std::uint64_t size);
  Result<> finish();

 private:
  Result<> header(const archive::PlainMember& member);
  Result<> copy(int from, std::uint64_t size);
  Result<> pad(std::uint64_t size);
  int fd_;
  Cancelled cancelled_;
};

}  // namespace udk::transfer
