#pragma once

#include <functional>
#include <string>

#include "archive/byte_source.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace udk::transfer {

// Asked now and then during long work; true ends it with an error.
using Cancelled = std::function<bool()>;

// A file, or "-" for standard input, which must not be a terminal. Code::not_found, Code::usage.
Result<Fd> open_input(const std::string& path);

// An open file or pipe to its end; ends early when cancelled, also while it waits for a slow writer.
class InputSource : public archive::ByteSource {
 public:
  InputSource(int fd, Cancelled cancelled) : fd_(fd), cancelled_(std::move(cancelled)) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  int fd_;
  Cancelled cancelled_;
};

}  // namespace udk::transfer
