#include "unit/archive/tar_builder.hpp"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace udk::archive::test {
namespace {

constexpr std::size_t k_block = 512;

// Octal with a NUL, or base 256 where it does not fit.
void put_number(std::string& header, std::size_t offset, std::size_t size, std::int64_t value) {
  const bool fits = value >= 0 && static_cast<std::uint64_t>(value) < (std::uint64_t{1} << (3 * (size - 1)));
  for (std::size_t i = size; i-- > 0;) {
    if (fits) {
      header[offset + i] = i == size - 1 ? '\0' : static_cast<char>('0' + (value & 7));
      if (i != size - 1) value >>= 3;
    } else {
      header[offset + i] = static_cast<char>(value & 0xff);
      value >>= 8;
    }
  }
  if (!fits) header[offset] = static_cast<char>(static_cast<unsigned char>(header[offset]) | 0x80U);
}

void put_text(std::string& header, std::size_t offset, std::size_t size, const std::string& text) {
  header.replace(offset, std::min(size, text.size()), text.substr(0, size));
}

std::string pax_record(const std::string& key, const std::string& value) {
  const std::string body = " " + key + "=" + value + "\n";
  std::size_t size = body.size();
  while (size != body.size() + std::to_string(size).size()) size = body.size() + std::to_string(size).size();
  return std::to_string(size) + body;
}

}  // namespace

std::string TarBuilder::padded(std::string bytes) {
  bytes.resize((bytes.size() + k_block - 1) / k_block * k_block, '\0');
  return bytes;
}

void TarBuilder::set_checksum(std::string& header) {
  header.replace(148, 8, "        ");
  unsigned sum = 0;
  for (char c : header.substr(0, k_block)) sum += static_cast<unsigned char>(c);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  header.replace(148, 7, text, 7);
}

std::string TarBuilder::header(const Member& member, std::uint64_t size) {
  std::string out(k_block, '\0');
  put_text(out, 0, 100, member.path);
  put_number(out, 100, 8, member.mode);
  put_number(out, 108, 8, static_cast<std::int64_t>(member.uid));
  put_number(out, 116, 8, static_cast<std::int64_t>(member.gid));
  put_number(out, 124, 12, static_cast<std::int64_t>(size));
  put_number(out, 136, 12, member.mtime);
  out[156] = member.type;
  put_text(out, 157, 100, member.link);
  put_text(out, 257, 8, std::string("ustar\00000", 8));
  set_checksum(out);
  return out;
}

TarBuilder& TarBuilder::add(const Member& member) {
  std::vector<std::pair<std::string, std::string>> records;
  if (member.path.size() > 100) records.emplace_back("path", member.path);
  if (member.link.size() > 100) records.emplace_back("linkpath", member.link);
  if (!records.empty()) pax(records);
  bytes_ += header(member, member.content.size());
  bytes_ += padded(member.content);
  return *this;
}

TarBuilder& TarBuilder::file(const std::string& path, const std::string& content, std::uint32_t mode) {
  return add({.path = path, .content = content, .mode = mode});
}
TarBuilder& TarBuilder::dir(const std::string& path, std::uint32_t mode) {
  return add({.path = path, .type = '5', .mode = mode});
}
TarBuilder& TarBuilder::symlink(const std::string& path, const std::string& target) {
  return add({.path = path, .type = '2', .link = target, .mode = 0777});
}
TarBuilder& TarBuilder::hardlink(const std::string& path, const std::string& target) {
  return add({.path = path, .type = '1', .link = target});
}

TarBuilder& TarBuilder::pax(const std::vector<std::pair<std::string, std::string>>& records, char type) {
  std::string body;
  for (const auto& [key, value] : records) body += pax_record(key, value);
  bytes_ += header({.path = "PaxHeaders/x", .type = type}, body.size());
  bytes_ += padded(body);
  return *this;
}

TarBuilder& TarBuilder::gnu_long(char type, const std::string& text) {
  Member member{.path = "././@LongLink", .type = type};
  bytes_ += header(member, text.size() + 1);
  bytes_ += padded(text + std::string(1, '\0'));
  return *this;
}

TarBuilder& TarBuilder::raw(const std::string& bytes) {
  bytes_ += bytes;
  return *this;
}

std::string TarBuilder::finish() const { return bytes_ + std::string(2 * k_block, '\0'); }

std::string gzip(const std::string& data) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  std::string out(deflateBound(&stream, data.size()) + 32, '\0');
  std::string copy = data;
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& data) {
  std::string out(ZSTD_compressBound(data.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), data.data(), data.size(), 3);
  if (ZSTD_isError(size)) std::abort();
  out.resize(size);
  return out;
}

std::string xz(const std::string& data) {
  std::string out(lzma_stream_buffer_bound(data.size()), '\0');
  std::size_t size = 0;
  if (lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(data.data()),
                              data.size(), reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size()) != LZMA_OK)
    std::abort();
  out.resize(size);
  return out;
}

std::string bzip2(const std::string& data) {
  std::string out(data.size() + data.size() / 50 + 1024, '\0');
  std::string copy = data;
  auto size = static_cast<unsigned>(out.size());
  if (BZ2_bzBuffToBuffCompress(out.data(), &size, copy.data(), static_cast<unsigned>(copy.size()), 1, 0, 0) != BZ_OK)
    std::abort();
  out.resize(size);
  return out;
}

}  // namespace udk::archive::test
