#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <string_view>

#include "archive/tar_block.hpp"
#include "base/file_extents.hpp"

// Headers of archives (POSIX pax, "ustar Interchange Format" and "pax Extended Header").
namespace udk::archive {

enum class MemberType : char {
  file = '0',
  hard_link = '1',
  symlink = '2',
  character_device = '3',
  block_device = '4',
  directory = '5',
  fifo = '6',
};

struct Member {
  MemberType type = MemberType::file;
  std::string_view name;  // of a directory with a slash at the end
  std::string_view link;  // of links
  std::uint64_t size = 0;
  timespec mtime{};
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint16_t mode = 0644;
  dev_t device = 0;
};

// Appends what stands before the content of a member: its header, and an extended one where that has no room for a
// value.
void append_header(std::string& out, const Member& member);

// The same of a file with holes, of which only `extents` follow (GNU tar manual, "Storing Sparse Files", version 1.0).
void append_sparse_header(std::string& out, const Member& member, std::span<const FileExtent> extents);

// What follows the content of a file up to the next header.
constexpr std::size_t padding_after(std::uint64_t size) {
  return static_cast<std::size_t>((k_tar_block - size % k_tar_block) % k_tar_block);
}

}  // namespace udk::archive
