#include "archive/byte_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace udk::archive {

Result<std::size_t> FdSource::read(std::span<std::byte> buffer) {
  if (left_) buffer = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(*left_, buffer.size())));
  if (buffer.empty()) return 0;
  ssize_t got = 0;
  do {
    got = ::read(fd_.get(), buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) return fail_errno(errno, "reading the archive");
  if (left_) {
    if (got == 0)
      return fail(Code::corrupt, "the archive is cut off: " + std::to_string(*left_) + " bytes are missing");
    *left_ -= static_cast<std::uint64_t>(got);
  }
  return static_cast<std::size_t>(got);
}

Result<std::size_t> MemorySource::read(std::span<std::byte> buffer) {
  std::size_t size = std::min(buffer.size(), data_.size());
  std::memcpy(buffer.data(), data_.data(), size);
  data_ = data_.subspan(size);
  return size;
}

}  // namespace udk::archive
