#include <isa-l/igzip_lib.h>

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
  }

  Result<bool> inflate(std::span<const std::byte>& input, std::span<std::byte>& output) override {
    // The interface is not const-correct: the input is only read.
    state_->next_in = const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(input.data()));
    state_->avail_in = static_cast<std::uint32_t>(input.size());
    state_->next_out = reinterpret_cast<std::uint8_t*>(output.data());
    state_->avail_out = static_cast<std::uint32_t>(output.size());
    int code = isal_inflate(state_.get());
    // After an error the counts mean nothing.
    if (code < 0 || state_->avail_in > input.size() || state_->avail_out > output.size())
      return fail(Code::corrupt, std::string("the gzip data are damaged: ") + reason_of(code));
    input = input.last(state_->avail_in);
    output = output.last(state_->avail_out);
    return state_->block_state == ISAL_BLOCK_FINISH;
  }

 private:
  std::unique_ptr<inflate_state> state_ = std::make_unique<inflate_state>();
};

}  // namespace

std::unique_ptr<Decoder> make_gzip_decoder_isal() { return std::make_unique<IsalGzipDecoder>(); }

}  // namespace udk::archive
