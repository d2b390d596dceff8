#include "archive/gzip_member.hpp"

namespace udk::archive {

Result<> GzipDecoder::decode(std::span<const std::byte>& input, std::span<std::byte>& output) {
  for (;;) {
    if (state_ == State::member || state_ == State::first) {
      state_ = State::member;
      TRY_ASSIGN(bool ended, inflate(input, output));
      if (!ended) return {};
      state_ = State::between;
    }
    if (input.empty()) return {};
    if (state_ == State::between && input.front() != std::byte{0}) {
      reset();
      state_ = State::member;
      continue;
    }
    // As gzip(1): zeros behind the last member fill up a tape block; anything behind them is not ours.
    state_ = State::padding;
    while (!input.empty() && input.front() == std::byte{0}) input = input.subspan(1);
    if (!input.empty()) return fail(Code::corrupt, "bytes that are not gzip stand behind the compressed data");
    return {};
  }
}

}  // namespace udk::archive
