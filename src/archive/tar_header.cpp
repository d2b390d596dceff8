#include "archive/tar_header.hpp"

#include "base/text.hpp"

namespace udk::archive {
namespace {

constexpr std::string_view k_ustar_magic("ustar\0", 6);  // GNU's is "ustar  "
constexpr std::string_view k_star_magic("tar\0", 4);     // in the last bytes of a ustar header

}  // namespace

Unexpected tar_damage(std::string_view what) {
  return fail(Code::corrupt, "the tar archive is damaged: " + printable(what));
}

std::string_view TarHeader::text(std::size_t offset, std::size_t size) const {
  std::string_view field(reinterpret_cast<const char*>(block_.data()) + offset, size);
  return field.substr(0, field.find('\0'));
}

std::string TarHeader::name() const {
  std::string_view all(reinterpret_cast<const char*>(block_.data()), block_.size());
  std::string out;
  if (all.substr(257, 6) == k_ustar_magic) out = text(345, all.substr(508, 4) == k_star_magic ? 131 : 155);
  if (!out.empty()) out += '/';
  out += text(0, 100);
  return out;
}

Result<std::uint64_t> TarHeader::unsigned_number(std::size_t offset, std::size_t size, const char* what) const {
  auto number = parse_tar_number(block_.subspan(offset, size));
  if (!number || *number < 0) return tar_damage(std::string("no valid ") + what + " of " + name());
  return static_cast<std::uint64_t>(*number);
}

Result<std::uint32_t> TarHeader::id(std::size_t offset, const char* what) const {
  TRY_ASSIGN(std::uint64_t number, unsigned_number(offset, 8, what));
  // The highest number means "no user" to the kernel.
  if (number >= UINT32_MAX) return tar_damage(std::string("no valid ") + what + " of " + name());
  return static_cast<std::uint32_t>(number);
}

Result<std::uint16_t> TarHeader::mode() const {
  TRY_ASSIGN(std::uint64_t number, unsigned_number(100, 8, "mode"));
  return static_cast<std::uint16_t>(number & 07777U);
}

Result<std::int64_t> TarHeader::mtime() const {
  auto number = parse_tar_number(block_.subspan(136, 12));
  if (!number) return tar_damage("no valid time of " + name());
  return *number;
}

}  // namespace udk::archive
