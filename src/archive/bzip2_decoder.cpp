#include <bzlib.h>

#include <cstdlib>

#include "archive/decoder.hpp"

namespace udk::archive {
namespace {

class Bzip2Decoder final : public Decoder {
 public:
  Bzip2Decoder() { start(); }
  Bzip2Decoder(const Bzip2Decoder&) = delete;
  Bzip2Decoder& operator=(const Bzip2Decoder&) = delete;
  ~Bzip2Decoder() override { BZ2_bzDecompressEnd(&stream_); }

  Result<> decode(std::span<const std::byte>& input, std::span<std::byte>& output) override {
    for (;;) {
      if (complete_) {
        if (input.empty()) return {};
        BZ2_bzDecompressEnd(&stream_);
        start();
      }
      stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(input.data()));  // only read
      stream_.avail_in = static_cast<unsigned>(input.size());
      stream_.next_out = reinterpret_cast<char*>(output.data());
      stream_.avail_out = static_cast<unsigned>(output.size());
      int code = BZ2_bzDecompress(&stream_);
      input = input.last(stream_.avail_in);
      output = output.last(stream_.avail_out);
      complete_ = code == BZ_STREAM_END;
      if (code == BZ_OK) return {};
      if (!complete_) return fail(Code::corrupt, "the bzip2 data are damaged");
    }
  }
  [[nodiscard]] bool complete() const override { return complete_; }

 private:
  void start() {
    stream_ = {};
    complete_ = false;
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) std::abort();
  }

  bz_stream stream_{};
  bool complete_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_bzip2_decoder() { return std::make_unique<Bzip2Decoder>(); }

}  // namespace udk::archive
