#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "archive/block_reader.hpp"
#include "archive/pax.hpp"
#include "archive/tar_block.hpp"
#include "archive/tar_header.hpp"
#include "base/result.hpp"

namespace udk::archive {

enum class EntryType { file, directory, symlink, hardlink, fifo, device };

// One member of an archive. The texts are bytes as they stand there, valid until the next member is read.
struct TarEntry {
  EntryType type = EntryType::file;
  std::string_view path;
  std::string_view link;  // of symlinks and hard links
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint16_t mode = 0;         // 07777
  std::uint64_t size = 0;         // of a file, holes counted
  std::uint64_t stored_size = 0;  // without holes
  timespec mtime{};
};

// Content that stands at an offset; what lies between two pieces is a hole.
struct TarData {
  std::uint64_t offset = 0;
  std::span<const std::byte> bytes;
};

// Reads tar: ustar, pax, GNU, old; sparse files in their four forms. Archives come from strangers: whatever is wrong
// with one is Code::corrupt. As Docker's reader, it ignores global pax headers and takes links and directories to have
// no content whatever their size field says.
class TarReader {
 public:
  // `max_extended`: bytes that the extended headers and the sparse map of one member may have.
  explicit TarReader(BlockReader& blocks, std::size_t max_extended = std::size_t{1} << 20)
      : blocks_(blocks), max_extended_(max_extended) {}
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // The next member, nullptr at the end of the archive. What was not read of the last one's content is skipped.
  Result<const TarEntry*> next();
  // The next piece of the content of the last member, in ascending order; empty at the end.
  Result<TarData> data();
  // Reads what stands behind the archive's end up to the end of the stream, so that its digests are checked.
  Result<> drain();

 private:
  Result<> refill();
  Result<std::optional<TarBlock>> take_block();
  Result<TarBlock> take_block_of_content();
  Result<> skip(std::uint64_t size);
  Result<std::string> read_body(std::uint64_t size);
  Result<> end_of_archive();
  Result<bool> read_extension(const TarHeader& header);
  Result<> read_member(const TarHeader& header, TarBlock block);
  Result<> set_names(const TarHeader& header);
  Result<> set_numbers(const TarHeader& header);
  Result<> read_old_sparse(const TarHeader& header, TarBlock block);
  Result<> read_sparse_map();
  Result<> count_extended(std::uint64_t size);

  BlockReader& blocks_;
  std::size_t max_extended_;
  std::span<const std::byte> block_;  // what of the current block is not used yet
  bool ended_ = false;
  TarEntry entry_;
  std::string path_;
  std::string link_;
  // Gathered for the next member.
  PaxAttributes pax_;
  std::optional<std::string> long_path_;
  std::optional<std::string> long_link_;
  std::uint64_t extended_ = 0;
  // The content of the last member.
  std::uint64_t left_ = 0;     // stored bytes
  std::uint64_t padding_ = 0;  // behind them
  std::uint64_t offset_ = 0;   // of the next byte, in files without holes
  bool sparse_ = false;
  std::vector<SparsePiece> pieces_;
  std::size_t piece_ = 0;
};

}  // namespace udk::archive
