#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "archive/tar_block.hpp"
#include "base/result.hpp"

namespace udk::archive {

// The fields of a header block, without looking at what they mean together. Views into the block.
class TarHeader {
 public:
  explicit TarHeader(TarBlock block) : block_(block) {}

  [[nodiscard]] char type() const { return static_cast<char>(block_[156]); }
  // With the prefix of ustar and star.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string_view link() const { return text(157, 100); }
  // Code::corrupt if the field holds no number, or one out of range.
  [[nodiscard]] Result<std::uint64_t> size() const { return unsigned_number(124, 12, "size"); }
  [[nodiscard]] Result<std::uint16_t> mode() const;
  [[nodiscard]] Result<std::uint32_t> uid() const { return id(108, "uid"); }
  [[nodiscard]] Result<std::uint32_t> gid() const { return id(116, "gid"); }
  [[nodiscard]] Result<std::int64_t> mtime() const;

  // Of an old sparse file of GNU (type S): the size with holes.
  [[nodiscard]] Result<std::uint64_t> sparse_size() const { return unsigned_number(483, 12, "size"); }

 private:
  [[nodiscard]] std::string_view text(std::size_t offset, std::size_t size) const;
  [[nodiscard]] Result<std::uint64_t> unsigned_number(std::size_t offset, std::size_t size, const char* what) const;
  [[nodiscard]] Result<std::uint32_t> id(std::size_t offset, const char* what) const;

  TarBlock block_;
};

// "the tar archive is damaged: WHAT".
Unexpected tar_damage(std::string_view what);

}  // namespace udk::archive
