#include "archive/layer_stream.hpp"

#include <algorithm>
#include <cstring>

#include "archive/limits.hpp"
#include "archive/tar_block.hpp"
#include "base/text.hpp"

namespace udk::archive {
namespace {

constexpr std::size_t k_input_buffer = std::size_t{128} << 10;

HashKind kind_of(const std::optional<image::Digest>& digest) { return digest ? digest->kind() : HashKind::sha256; }

}  // namespace

LayerStream::LayerStream(std::unique_ptr<ByteSource> source, std::optional<image::Digest> stored,
                         std::optional<image::Digest> plain, SizeLimits limits, PlainDigest plain_digest)
    : source_(std::move(source)),
      stored_(std::move(stored)),
      plain_(std::move(plain)),
      limits_(limits),
      buffer_(k_input_buffer) {
  if (stored_) stored_hasher_.emplace(stored_->kind());
  if (plain_ || plain_digest == PlainDigest::computed) plain_hasher_.emplace(kind_of(plain_));
}

Result<std::size_t> LayerStream::fill(std::span<std::byte> block) {
  if (state_ == State::unopened) TRY(open());
  if (state_ == State::ended) return 0;
  TRY_ASSIGN(std::size_t size, decoder_ ? fill_decoded(block) : fill_plain(block));
  plain_bytes_ += size;
  TRY(check_size());
  if (plain_hasher_) plain_hasher_->update(block.first(size));
  if (size < block.size()) TRY(finish());
  return size;
}

// Reads enough to see what it is.
Result<> LayerStream::open() {
  std::size_t size = 0;
  while (size < k_tar_block && !source_ended_) {
    TRY_ASSIGN(std::size_t got, read_source(std::span(buffer_).subspan(size)));
    size += got;
  }
  input_ = std::span(buffer_).first(size);
  auto compression = detect_compression(input_);
  if (!compression) {
    std::string_view head(reinterpret_cast<const char*>(buffer_.data()), std::min<std::size_t>(size, 8));
    return fail(Code::unsupported,
                "unknown compression: it is neither a tar archive nor gzip, zstd, xz or bzip2 "
                "(it begins with the bytes " +
                    to_hex(head) + ")");
  }
  if (*compression != Compression::none) decoder_ = make_decoder(*compression);
  state_ = State::running;
  return {};
}

Result<std::size_t> LayerStream::read_source(std::span<std::byte> buffer) {
  TRY_ASSIGN(std::size_t got, source_->read(buffer));
  if (got == 0) source_ended_ = true;
  stored_bytes_ += got;
  if (stored_hasher_) stored_hasher_->update(buffer.first(got));
  return got;
}

Result<> LayerStream::refill() {
  TRY_ASSIGN(std::size_t got, read_source(buffer_));
  input_ = std::span(buffer_).first(got);
  return {};
}

Result<std::size_t> LayerStream::fill_decoded(std::span<std::byte> block) {
  std::span<std::byte> output = block;
  while (!output.empty()) {
    if (input_.empty() && !source_ended_) TRY(refill());
    const std::size_t input_before = input_.size();
    const std::size_t output_before = output.size();
    TRY(decoder_->decode(input_, output));
    if (input_.size() != input_before || output.size() != output_before) continue;
    if (!input_.empty()) return fail(Code::corrupt, "the compressed data are damaged");
    if (source_ended_) {
      if (!decoder_->complete()) return fail(Code::corrupt, "the compressed data are cut off");
      break;
    }
  }
  return block.size() - output.size();
}

Result<std::size_t> LayerStream::fill_plain(std::span<std::byte> block) {
  std::size_t size = std::min(block.size(), input_.size());
  std::memcpy(block.data(), input_.data(), size);
  input_ = input_.subspan(size);
  while (size < block.size() && !source_ended_) {
    TRY_ASSIGN(std::size_t got, read_source(block.subspan(size)));
    size += got;
  }
  return size;
}

Result<> LayerStream::check_size() const {
  if (plain_bytes_ > limits_.bytes)
    return over_limit("it unpacks to more than the " + std::to_string(limits_.bytes) + " bytes allowed", "limit_size");
  if (plain_bytes_ > limits_.free_bytes && plain_bytes_ / limits_.ratio > stored_bytes_)
    return over_limit(
        "it unpacks to more than " + std::to_string(limits_.ratio) + " times its size, as an attack on the disk does",
        "limit_ratio");
  return {};
}

Result<> LayerStream::finish() {
  state_ = State::ended;
  if (plain_hasher_)
    plain_digest_ = std::string(kind_of(plain_) == HashKind::sha256 ? "sha256:" : "sha512:") + plain_hasher_->hex();
  if (stored_) {
    std::string found = std::string(stored_->algorithm()) + ":" + stored_hasher_->hex();
    if (found != stored_->text())
      return fail(Code::corrupt, "its digest is " + found + ", not " + stored_->text() + ": pull the image again");
  }
  if (plain_ && plain_digest_ != plain_->text())
    return fail(Code::corrupt, "the digest of its content is " + plain_digest_ + ", not " + plain_->text() +
                                   " as the image's configuration says");
  return {};
}

}  // namespace udk::archive
