#include <zlib.h>

#include <cstdlib>
#include <memory>

#include "archive/gzip_member.hpp"

namespace udk::archive {
namespace {

class ZlibGzipDecoder final : public GzipDecoder {
 public:
  ZlibGzipDecoder() {
    // 15 bits of window, + 16: a gzip header and trailer, nothing else.
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) std::abort();
  }
  ZlibGzipDecoder(const ZlibGzipDecoder&) = delete;
  ZlibGzipDecoder& operator=(const ZlibGzipDecoder&) = delete;
  ~ZlibGzipDecoder() override { inflateEnd(&stream_); }

 protected:
  void reset() override {
    if (inflateReset(&stream_) != Z_OK) std::abort();
  }

  Result<bool> inflate(std::span<const std::byte>& input, std::span<std::byte>& output) override {
    // The interface is not const-correct: the input is only read.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input.data()));
    stream_.avail_in = static_cast<uInt>(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(output.data());
    stream_.avail_out = static_cast<uInt>(output.size());
    int code = ::inflate(&stream_, Z_NO_FLUSH);
    input = input.last(stream_.avail_in);
    output = output.last(stream_.avail_out);
    if (code == Z_OK || code == Z_BUF_ERROR) return false;
    if (code == Z_STREAM_END) return true;
    return fail(Code::corrupt,
                std::string("the gzip data are damaged: ") + (stream_.msg ? stream_.msg : "invalid data"));
  }

 private:
  z_stream stream_{};
};

}  // namespace

std::unique_ptr<Decoder> make_gzip_decoder_zlib() { return std::make_unique<ZlibGzipDecoder>(); }

}  // namespace udk::archive
