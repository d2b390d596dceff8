#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "base/result.hpp"

namespace udk::archive {

enum class Compression { none, gzip, zstd, xz, bzip2 };

// What the first bytes of a file say it is; 512 are enough, all of a shorter file. `none` is a tar archive as such, or
// nothing at all (an archive without entries). Anything else has no answer.
std::optional<Compression> detect_compression(std::span<const std::byte> head);

// Turns the bytes of one compressed format into plain ones. Knows streams that consist of several parts.
class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  virtual ~Decoder() = default;
  // Goes on until `input` or `output` is used up, and takes from their fronts what was used. Code::corrupt for bytes
  // that are not of the format or fail its own checksum.
  virtual Result<> decode(std::span<const std::byte>& input, std::span<std::byte>& output) = 0;
  // The input may end here. False in the midst of a stream and while there is more output than was asked for.
  [[nodiscard]] virtual bool complete() const = 0;
};

// The fastest decoder of a format on this processor; not for Compression::none.
std::unique_ptr<Decoder> make_decoder(Compression compression);

// The two that read gzip (RFC 1952, several members, zero bytes behind the last one). ISA-L is faster by far where it
// has assembly for the processor.
std::unique_ptr<Decoder> make_gzip_decoder_isal();
std::unique_ptr<Decoder> make_gzip_decoder_zlib();
std::unique_ptr<Decoder> make_zstd_decoder();   // several frames, skippable ones too; a window of 128 MiB at most
std::unique_ptr<Decoder> make_xz_decoder();     // several streams
std::unique_ptr<Decoder> make_bzip2_decoder();  // several streams

}  // namespace udk::archive
