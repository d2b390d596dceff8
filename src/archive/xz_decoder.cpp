#include <lzma.h>

#include <cstdint>
#include <cstdlib>

#include "archive/decoder.hpp"

namespace udk::archive {
namespace {

constexpr std::uint64_t k_memory_limit = std::uint64_t{128} << 20;  // "xz -9" needs 65 MiB

class XzDecoder final : public Decoder {
 public:
  XzDecoder() {
    if (lzma_stream_decoder(&stream_, k_memory_limit, LZMA_CONCATENATED) != LZMA_OK) std::abort();
  }
  XzDecoder(const XzDecoder&) = delete;
  XzDecoder& operator=(const XzDecoder&) = delete;
  ~XzDecoder() override { lzma_end(&stream_); }

  Result<> decode(std::span<const std::byte>& input, std::span<std::byte>& output) override {
    // With LZMA_CONCATENATED only LZMA_FINISH, on an empty input here, tells whether the last stream was whole.
    lzma_action action = input.empty() ? LZMA_FINISH : LZMA_RUN;
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(input.data());
    stream_.avail_in = input.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(output.data());
    stream_.avail_out = output.size();
    lzma_ret code = lzma_code(&stream_, action);
    input = input.last(stream_.avail_in);
    output = output.last(stream_.avail_out);
    complete_ = code == LZMA_STREAM_END;
    if (code == LZMA_OK || code == LZMA_BUF_ERROR || code == LZMA_STREAM_END) return {};
    if (code == LZMA_MEMLIMIT_ERROR) return fail(Code::unsupported, "the xz data need more than 128 MiB of memory");
    if (code == LZMA_OPTIONS_ERROR) return fail(Code::unsupported, "the xz data use a filter that is not known");
    return fail(Code::corrupt, "the xz data are damaged");
  }
  [[nodiscard]] bool complete() const override { return complete_; }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool complete_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_xz_decoder() { return std::make_unique<XzDecoder>(); }

}  // namespace udk::archive
