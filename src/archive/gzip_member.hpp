#pragma once

#include <cstddef>
#include <span>

#include "archive/decoder.hpp"

namespace udk::archive {

// What the gzip decoders share: how members follow one another. A library's part is the inside of one member.
class GzipDecoder : public Decoder {
 public:
  Result<> decode(std::span<const std::byte>& input, std::span<std::byte>& output) final;
  [[nodiscard]] bool complete() const final { return state_ == State::between || state_ == State::padding; }

 protected:
  // Starts another member.
  virtual void reset() = 0;
  // Goes on inside a member; true when its end was reached and its checksum was right.
  virtual Result<bool> inflate(std::span<const std::byte>& input, std::span<std::byte>& output) = 0;

 private:
  enum class State { first, member, between, padding };
  State state_ = State::first;
};

}  // namespace udk::archive
