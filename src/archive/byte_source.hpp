#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace udk::archive {

// Where the bytes of a blob come from. Read once, front to back.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;
  // Fills the front of `buffer` (not empty) and says how much; 0 is the end, for good. Less than asked for is normal.
  virtual Result<std::size_t> read(std::span<std::byte> buffer) = 0;
};

// An open file, pipe or socket from its current position, to its end or for `length` bytes (a file inside an archive);
// an earlier end is then Code::corrupt.
class FdSource : public ByteSource {
 public:
  explicit FdSource(Fd fd, std::optional<std::uint64_t> length = std::nullopt) : fd_(std::move(fd)), left_(length) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  Fd fd_;
  std::optional<std::uint64_t> left_;
};

// Bytes in memory that outlive the object.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> data) : data_(data) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  std::span<const std::byte> data_;
};

}  // namespace udk::archive
