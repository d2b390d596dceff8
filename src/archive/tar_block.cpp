#include "archive/tar_block.hpp"

#include <algorithm>

namespace udk::archive {
namespace {

constexpr std::size_t k_checksum_offset = 148;
constexpr std::size_t k_checksum_size = 8;
constexpr std::string_view k_blank("\0 ", 2);

std::optional<std::int64_t> parse_base256(std::span<const std::byte> field) {
  // The first byte holds the marker bit and the sign.
  const bool negative = (field[0] & std::byte{0x40}) != std::byte{0};
  auto first = std::to_integer<unsigned>(field[0]) & 0x7fU;
  std::int64_t value = negative ? static_cast<std::int64_t>(first) - 128 : static_cast<std::int64_t>(first);
  for (std::byte byte : field.subspan(1)) {
    if (value > (INT64_MAX >> 8) || value < (INT64_MIN >> 8)) return std::nullopt;
    value = value * 256 + std::to_integer<std::int64_t>(byte);
  }
  return value;
}

std::optional<std::int64_t> parse_octal(std::span<const std::byte> field) {
  std::string_view text(reinterpret_cast<const char*>(field.data()), field.size());
  const std::size_t begin = text.find_first_not_of(k_blank);
  if (begin == std::string_view::npos) return 0;
  text = text.substr(begin);
  text = text.substr(0, text.find_first_of(k_blank));
  std::int64_t value = 0;
  for (char digit : text) {
    if (digit < '0' || digit > '7' || value > (INT64_MAX >> 3)) return std::nullopt;
    value = value * 8 + (digit - '0');
  }
  return value;
}

}  // namespace

bool is_zero_block(TarBlock block) {
  return std::all_of(block.begin(), block.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

bool has_valid_checksum(TarBlock block) {
  auto stored = parse_tar_number(block.subspan(k_checksum_offset, k_checksum_size));
  if (!stored) return false;
  std::int64_t with_unsigned = 0;
  std::int64_t high_bytes = 0;
  for (std::byte byte : block) {
    with_unsigned += std::to_integer<std::int64_t>(byte);
    high_bytes += std::to_integer<std::int64_t>(byte >> 7);
  }
  // The field itself counts as blanks.
  for (std::byte byte : block.subspan(k_checksum_offset, k_checksum_size)) {
    with_unsigned += ' ' - std::to_integer<std::int64_t>(byte);
    high_bytes -= std::to_integer<std::int64_t>(byte >> 7);
  }
  return *stored == with_unsigned || *stored == with_unsigned - 256 * high_bytes;
}

bool looks_like_tar(std::span<const std::byte> head) {
  if (head.size() < k_tar_block) return false;
  auto block = head.first<k_tar_block>();
  return is_zero_block(block) || has_valid_checksum(block);
}

std::optional<std::int64_t> parse_tar_number(std::span<const std::byte> field) {
  if (field.empty()) return std::nullopt;
  if ((field[0] & std::byte{0x80}) != std::byte{0}) return parse_base256(field);
  return parse_octal(field);
}

}  // namespace udk::archive
