#include <zstd.h>
#include <zstd_errors.h>

#include <cstdlib>

#include "archive/decoder.hpp"

namespace udk::archive {
namespace {

constexpr int k_window_log_max = 27;  // 128 MiB: what "zstd --ultra -22" needs; more is an attack on the memory

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder() : context_(ZSTD_createDCtx()) {
    if (!context_) std::abort();
    if (ZSTD_isError(ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, k_window_log_max))) std::abort();
  }
  ZstdDecoder(const ZstdDecoder&) = delete;
  ZstdDecoder& operator=(const ZstdDecoder&) = delete;
  ~ZstdDecoder() override { ZSTD_freeDCtx(context_); }

  Result<> decode(std::span<const std::byte>& input, std::span<std::byte>& output) override {
    // The library stops at the end of each frame; it may also have output left without any input.
    while (!output.empty() && (!input.empty() || !complete_)) {
      ZSTD_inBuffer in{input.data(), input.size(), 0};
      ZSTD_outBuffer out{output.data(), output.size(), 0};
      std::size_t wanted = ZSTD_decompressStream(context_, &out, &in);
      input = input.subspan(in.pos);
      output = output.subspan(out.pos);
      if (ZSTD_isError(wanted)) {
        std::string text = std::string("the zstd data are damaged: ") + ZSTD_getErrorName(wanted);
        if (ZSTD_getErrorCode(wanted) == ZSTD_error_frameParameter_windowTooLarge)
          return fail(Code::unsupported, "the zstd data need a window of more than 128 MiB");
        return fail(Code::corrupt, std::move(text));
      }
      complete_ = wanted == 0;
      if (in.pos == 0 && out.pos == 0) break;
    }
    return {};
  }
  [[nodiscard]] bool complete() const override { return complete_; }

 private:
  ZSTD_DCtx* context_;
  bool complete_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_zstd_decoder() { return std::make_unique<ZstdDecoder>(); }

}  // namespace udk::archive
