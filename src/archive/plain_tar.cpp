#include "archive/plain_tar.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace udk::archive {
namespace {

// Offset and size of the fields of a header.
struct Field {
  std::size_t offset, size;
};
constexpr Field k_name{0, 100}, k_mode{100, 8}, k_uid{108, 8}, k_gid{116, 8}, k_size{124, 12}, k_mtime{136, 12},
    k_checksum{148, 8}, k_link{157, 100};
constexpr std::size_t k_type = 156, k_magic = 257;
constexpr std::uint64_t k_first_too_large = std::uint64_t{1} << 33;  // for eleven octal digits

using Header = std::array<std::byte, k_tar_block>;

void put_text(Header& header, Field field, const std::string& text) {
  std::memcpy(header.data() + field.offset, text.data(), std::min(text.size(), field.size));
}

void put_octal(Header& header, Field field, std::uint64_t value) {
  for (std::size_t i = field.size - 1; i-- > 0; value >>= 3)
    header[field.offset + i] = static_cast<std::byte>('0' + (value & 7U));
}

void put_base256(Header& header, Field field, std::uint64_t value) {
  for (std::size_t i = field.size; i-- > 0; value >>= 8)
    header[field.offset + i] = static_cast<std::byte>(value & 0xffU);
  header[field.offset] = std::byte{0x80};
}

}  // namespace

std::array<std::byte, k_tar_block> plain_header(const PlainMember& member) {
  Header header{};
  put_text(header, k_name, member.name);
  put_octal(header, k_mode, member.type == PlainType::directory ? 0755 : 0644);
  put_octal(header, k_uid, 0);
  put_octal(header, k_gid, 0);
  if (member.size < k_first_too_large)
    put_octal(header, k_size, member.size);
  else
    put_base256(header, k_size, member.size);
  put_octal(header, k_mtime, static_cast<std::uint64_t>(std::max<std::int64_t>(member.mtime, 0)));
  header[k_type] = static_cast<std::byte>(member.type);
  put_text(header, k_link, member.link);
  // Base 256 is GNU's.
  const bool gnu = member.size >= k_first_too_large;
  std::memcpy(header.data() + k_magic, gnu ? "ustar  " : "ustar\00000", 8);
  std::fill_n(header.begin() + k_checksum.offset, k_checksum.size, static_cast<std::byte>(' '));
  std::uint64_t sum = 0;
  for (std::byte byte : header) sum += std::to_integer<unsigned>(byte);
  put_octal(header, {k_checksum.offset, k_checksum.size - 1}, sum);
  header[k_checksum.offset + k_checksum.size - 2] = std::byte{0};
  return header;
}

}  // namespace udk::archive
