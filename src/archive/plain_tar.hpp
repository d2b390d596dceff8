#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "archive/tar_block.hpp"

// Headers for archives whose members have short names of our own (POSIX pax, "ustar Interchange Format").
namespace udk::archive {

enum class PlainType : char { file = '0', hard_link = '1', directory = '5' };

struct PlainMember {
  PlainType type = PlainType::file;
  std::string name;  // at most 100 bytes
  std::string link;  // of a hard link, at most 100 bytes
  std::uint64_t size = 0;
  std::int64_t mtime = 0;
};

// The header of a member: owner 0:0, mode 0644, 0755 for a directory. A size of 8 GiB and more is written in base 256,
// as GNU tar does it.
std::array<std::byte, k_tar_block> plain_header(const PlainMember& member);

// What follows the content of a file up to the next header.
constexpr std::size_t padding_after(std::uint64_t size) {
  return static_cast<std::size_t>((k_tar_block - size % k_tar_block) % k_tar_block);
}

}  // namespace udk::archive
