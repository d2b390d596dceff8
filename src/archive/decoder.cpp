#include "archive/decoder.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "archive/tar_block.hpp"

namespace udk::archive {
namespace {

// Assembly of ISA-L needs SSE4.1 at least; without it its C code is slower than zlib.
bool isal_is_fast() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("sse4.1") != 0;
#else
  return true;
#endif
}

}  // namespace

std::optional<Compression> detect_compression(std::span<const std::byte> head) {
  using namespace std::string_view_literals;
  std::string_view bytes(reinterpret_cast<const char*>(head.data()), head.size());
  if (bytes.starts_with("\x1f\x8b"sv)) return Compression::gzip;
  if (bytes.starts_with("\x28\xb5\x2f\xfd"sv)) return Compression::zstd;
  // A skippable frame of zstd: 0x184D2A50 to 0x184D2A5F, little endian.
  if (bytes.size() >= 4 && (static_cast<unsigned char>(bytes[0]) & 0xf0U) == 0x50U &&
      bytes.substr(1, 3) == "\x2a\x4d\x18"sv)
    return Compression::zstd;
  if (bytes.starts_with("\xfd\x37zXZ\0"sv)) return Compression::xz;
  if (bytes.starts_with("BZh"sv)) return Compression::bzip2;
  if (bytes.empty() || looks_like_tar(head)) return Compression::none;
  return std::nullopt;
}

std::unique_ptr<Decoder> make_decoder(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return isal_is_fast() ? make_gzip_decoder_isal() : make_gzip_decoder_zlib();
    case Compression::zstd:
      return make_zstd_decoder();
    case Compression::xz:
      return make_xz_decoder();
    case Compression::bzip2:
      return make_bzip2_decoder();
    case Compression::none:
      break;
  }
  std::abort();
}

}  // namespace udk::archive
