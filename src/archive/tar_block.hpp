#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

// The 512-byte blocks that a tar archive is made of (POSIX pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar
// Format").
namespace udk::archive {

constexpr std::size_t k_tar_block = 512;
using TarBlock = std::span<const std::byte, k_tar_block>;

// Only zero bytes: two such blocks end an archive.
bool is_zero_block(TarBlock block);
// The checksum field fits, summed with unsigned bytes or, as some old programs did, with signed ones.
bool has_valid_checksum(TarBlock block);
// A tar archive can begin like this: a header or a zero block.
bool looks_like_tar(std::span<const std::byte> head);

// A number field: octal digits between blanks and NULs, all of them blank being 0, or base 256 with the top bit set
// (two's complement, GNU and star). nullopt if it is neither or does not fit.
std::optional<std::int64_t> parse_tar_number(std::span<const std::byte> field);

}  // namespace udk::archive
