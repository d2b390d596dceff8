#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <span>
#include <string_view>

#include "archive/block_reader.hpp"
#include "base/result.hpp"

namespace udk::archive {

enum class EntryType { file, directory, symlink, hardlink, fifo, device };

// One member of an archive. The texts are bytes as they stand there, valid until the next entry is read.
struct TarEntry {
  EntryType type = EntryType::file;
  std::string_view path;
  std::string_view link;  // of symlinks and hard links
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint16_t mode = 0;  // 07777
  std::uint64_t size = 0;  // of a file, holes counted
  timespec mtime{};
};

// Content that stands at an offset; what lies between two pieces is a hole.
struct TarData {
  std::uint64_t offset = 0;
  std::span<const std::byte> bytes;
};

// Reads tar: ustar, pax, GNU, old; sparse files in their four forms. Archives come from strangers: whatever is wrong
// with one is Code::corrupt.
class TarReader {
 public:
  explicit TarReader(BlockReader& blocks);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // The next member, nullptr at the end of the archive. What was not read of the last one's content is skipped.
  Result<const TarEntry*> next();
  // The next piece of the content of the last member, in ascending order; empty at the end.
  Result<TarData> data();
  // Reads what stands behind the archive's end up to the end of the stream, so that its digests are checked.
  Result<> drain();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace udk::archive
