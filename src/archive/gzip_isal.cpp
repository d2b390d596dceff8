#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <memory>

#include "archive/gzip_member.hpp"

namespace udk::archive {
namespace {

const char* reason_of(int code) {
  switch (code) {
    case ISAL_INVALID_BLOCK:
      return "invalid block";
    case ISAL_INVALID_SYMBOL:
      return "invalid symbol";
    case ISAL_INVALID_LOOKBACK:
      return "invalid distance";
    case ISAL_INVALID_WRAPPER:
      return "invalid header";
    case ISAL_UNSUPPORTED_METHOD:
      return "unknown method";
    case ISAL_INCORRECT_CHECKSUM:
      return "wrong checksum";
    default:
      return "invalid data";
  }
}

class IsalGzipDecoder final : public GzipDecoder {
 public:
  IsalGzipDecoder() { reset(); }

 protected:
  void reset() override {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP;
    header_seen_ = 0;
  }

  Result<bool> inflate(std::span<const std::byte>& input, std::span<std::byte>& output) override {
    if (has_reserved_flags(input)) return fail(Code::corrupt, "the gzip data are damaged: unknown header flags");
    // The interface is not const-correct: the input is only read.
    state_->next_in = const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(input.data()));
    state_->avail_in = static_cast<std::uint32_t>(input.size());
    state_->next_out = reinterpret_cast<std::uint8_t*>(output.data());
    state_->avail_out = static_cast<std::uint32_t>(output.size());
    int code = isal_inflate(state_.get());
    // After an error the counts mean nothing.
    if (code < 0 || state_->avail_in > input.size() || state_->avail_out > output.size())
      return fail(Code::corrupt, std::string("the gzip data are damaged: ") + reason_of(code));
    header_seen_ = std::min(k_flags_at + 1, header_seen_ + input.size() - state_->avail_in);
    input = input.last(state_->avail_in);
    output = output.last(state_->avail_out);
    return state_->block_state == ISAL_BLOCK_FINISH;
  }

 private:
  static constexpr std::size_t k_flags_at = 3;

  // RFC 1952 wants these bits refused, as they may mean fields that nobody knows how to skip; ISA-L passes over them.
  [[nodiscard]] bool has_reserved_flags(std::span<const std::byte> input) const {
    if (header_seen_ > k_flags_at || k_flags_at - header_seen_ >= input.size()) return false;
    return (input[k_flags_at - header_seen_] & std::byte{0xe0}) != std::byte{0};
  }

  std::size_t header_seen_ = 0;  // bytes of this member's header that are known, up to the flags
  std::unique_ptr<inflate_state> state_ = std::make_unique<inflate_state>();
};

}  // namespace

std::unique_ptr<Decoder> make_gzip_decoder_isal() { return std::make_unique<IsalGzipDecoder>(); }

}  // namespace udk::archive
