#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/byte_source.hpp"
#include "archive/decoder.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"
#include "image/digest.hpp"

namespace udk::archive {

// Bounds of the size of what comes out.
struct SizeLimits {
  std::uint64_t bytes = UINT64_MAX;
  std::uint64_t ratio = UINT64_MAX;  // out : in, applied above free_bytes
  std::uint64_t free_bytes = 0;
};

// Whether anybody asks for the digest of the plain bytes.
enum class PlainDigest { computed, skipped };

// The plain bytes of a stored archive: decompressed, hashed on both sides, measured. Made for one pass.
class LayerStream {
 public:
  // Digests that are given are compared at the end.
  LayerStream(std::unique_ptr<ByteSource> source, std::optional<image::Digest> stored,
              std::optional<image::Digest> plain, SizeLimits limits, PlainDigest plain_digest = PlainDigest::computed);

  // Fills all of `block` but at the end, and says how much; 0 is the end. When that is reached the digests were right.
  Result<std::size_t> fill(std::span<std::byte> block);

  [[nodiscard]] std::uint64_t stored_bytes() const { return stored_bytes_; }
  [[nodiscard]] std::uint64_t plain_bytes() const { return plain_bytes_; }
  // After the end only; "" if it was skipped.
  [[nodiscard]] const std::string& plain_digest() const { return plain_digest_; }

 private:
  enum class State { unopened, running, ended };
  Result<> open();
  Result<> refill();
  Result<std::size_t> read_source(std::span<std::byte> buffer);
  Result<std::size_t> fill_decoded(std::span<std::byte> block);
  Result<std::size_t> fill_plain(std::span<std::byte> block);
  Result<> check_size() const;
  Result<> finish();

  std::unique_ptr<ByteSource> source_;
  std::optional<image::Digest> stored_;
  std::optional<image::Digest> plain_;
  SizeLimits limits_;
  std::unique_ptr<Decoder> decoder_;  // none for plain data
  std::optional<Hasher> stored_hasher_;
  std::optional<Hasher> plain_hasher_;
  std::vector<std::byte> buffer_;
  std::span<const std::byte> input_;  // what of buffer_ is not used yet
  State state_ = State::unopened;
  bool source_ended_ = false;
  std::atomic<std::uint64_t> stored_bytes_ = 0;  // read by a thread that shows the progress
  std::uint64_t plain_bytes_ = 0;
  std::string plain_digest_;
};

}  // namespace udk::archive
