#include "archive/tar_block.hpp"

#include <algorithm>
#include <array>
#include <cstring>

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

// Eight bytes at a time: every member of every archive comes through here.
std::uint32_t sum_bytes(std::span<const std::byte, k_tar_block> bytes) {
  constexpr std::uint64_t every_other = 0x00ff00ff00ff00ffULL;
  std::uint64_t sums = 0;  // four of 16 bits, at most 64 * 2 * 255 each
  for (std::size_t at = 0; at < bytes.size(); at += sizeof sums) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    sums += (word & every_other) + ((word >> 8) & every_other);
  }
  std::uint32_t sum = 0;
  for (; sums != 0; sums >>= 16) sum += static_cast<std::uint32_t>(sums & 0xffffU);
  return sum;
}

}  // namespace

bool is_zero_block(TarBlock block) {
  return block[0] == std::byte{0} && std::memcmp(block.data(), block.data() + 1, k_tar_block - 1) == 0;
}

bool has_valid_checksum(TarBlock block) {
  auto stored = parse_tar_number(block.subspan(k_checksum_offset, k_checksum_size));
  if (!stored) return false;
  // The field itself counts as blanks.
  std::array<std::byte, k_tar_block> summed;  // NOLINT(cppcoreguidelines-pro-type-member-init): copied to
  std::memcpy(summed.data(), block.data(), k_tar_block);
  std::memset(summed.data() + k_checksum_offset, ' ', k_checksum_size);
  const std::uint32_t sum = sum_bytes(summed);
  if (*stored == sum) return true;
  const auto high_bytes = std::count_if(summed.begin(), summed.end(), [](std::byte b) { return b >= std::byte{0x80}; });
  return *stored == std::int64_t{sum} - 256 * high_bytes;
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
