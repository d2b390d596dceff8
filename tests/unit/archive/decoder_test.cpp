#include "archive/decoder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/file.hpp"
#include "unit/archive/random.hpp"
#include "unit/archive/tar_builder.hpp"

namespace udk::archive {
namespace {

using Maker = std::unique_ptr<Decoder> (*)();
using Compressor = std::string (*)(const std::string&);

// Decodes with pieces of the given sizes. An archive that is cut off is Code::corrupt, as in LayerStream.
Result<std::string> decode(Decoder& decoder, std::string_view data, std::size_t in_piece, std::size_t out_piece) {
  std::string out;
  std::string buffer(out_piece, '\0');
  std::span<const std::byte> input;
  for (;;) {
    if (input.empty()) {
      input = as_bytes(data.substr(0, in_piece));
      data.remove_prefix(input.size());
    }
    std::span<std::byte> output = std::as_writable_bytes(std::span(buffer));
    const std::size_t before = input.size();
    TRY(decoder.decode(input, output));
    out.append(buffer, 0, out_piece - output.size());
    if (input.size() != before || output.size() != out_piece) continue;
    if (!input.empty()) return fail(Code::corrupt, "no progress");
    if (data.empty()) break;
  }
  if (!decoder.complete()) return fail(Code::corrupt, "cut off");
  return out;
}

std::string sample(std::size_t size, unsigned seed = 1) {
  test::Random random(seed);
  std::string out;
  while (out.size() < size) {
    if (random.below(3) == 0 && out.size() > 100)
      out += out.substr(random.below(out.size() - 50), 1 + random.below(300));
    else
      out += static_cast<char>('a' + random.below(20));
  }
  out.resize(size);
  return out;
}

struct Format {
  const char* name;
  Maker maker;
  Compressor compressor;
};
void PrintTo(const Format& format, std::ostream* out) { *out << format.name; }

class EveryDecoder : public testing::TestWithParam<Format> {
 protected:
  static Result<std::string> run(std::string_view data, std::size_t in_piece = 65536, std::size_t out_piece = 65536) {
    return decode(*GetParam().maker(), data, in_piece, out_piece);
  }
};

INSTANTIATE_TEST_SUITE_P(all, EveryDecoder,
                         testing::Values(Format{"isal", make_gzip_decoder_isal, test::gzip},
                                         Format{"zlib", make_gzip_decoder_zlib, test::gzip},
                                         Format{"zstd", make_zstd_decoder, test::zstd},
                                         Format{"xz", make_xz_decoder, test::xz},
                                         Format{"bzip2", make_bzip2_decoder, test::bzip2}),
                         [](const auto& test) { return test.param.name; });

TEST_P(EveryDecoder, gives_back_what_was_compressed) {
  for (std::size_t size : {0UL, 1UL, 100UL, 65535UL, 65536UL, 700000UL}) {
    const std::string data = sample(size);
    auto got = run(GetParam().compressor(data));
    ASSERT_TRUE(got) << got.error().text;
    EXPECT_TRUE(*got == data) << size;
  }
}

TEST_P(EveryDecoder, does_not_mind_where_the_pieces_end) {
  const std::string data = sample(50000);
  const std::string packed = GetParam().compressor(data);
  for (std::size_t in : {1UL, 7UL, 4096UL})
    for (std::size_t out : {1UL, 13UL, 512UL, 40000UL}) {
      auto got = run(packed, in, out);
      ASSERT_TRUE(got) << in << " " << out << " " << got.error().text;
      EXPECT_TRUE(*got == data) << in << " " << out;
    }
}

TEST_P(EveryDecoder, reads_several_parts_one_after_the_other) {
  const std::string first = sample(100000, 1);
  const std::string second = sample(3, 2);
  auto make = GetParam().compressor;
  for (std::size_t piece : {1UL, 1000UL, 1UL << 20}) {
    auto got = run(make(first) + make("") + make(second), piece);
    ASSERT_TRUE(got) << got.error().text;
    EXPECT_TRUE(*got == first + second);
  }
}

TEST_P(EveryDecoder, refuses_what_is_cut_off) {
  const std::string packed = GetParam().compressor(sample(300));
  for (std::size_t size = 1; size < packed.size(); ++size) {
    auto got = run(packed.substr(0, size));
    ASSERT_FALSE(got) << size;
    EXPECT_EQ(got.error().code, Code::corrupt);
  }
}

TEST_P(EveryDecoder, refuses_other_bytes_behind_the_data) {
  const std::string packed = GetParam().compressor(sample(300));
  for (const char* behind : {"x", "garbage that is long enough to be looked at", "\x1f"})
    EXPECT_FALSE(run(packed + behind)) << behind;
}

// No input makes it loop for ever, crash or write elsewhere; a checksum of the format sees most changes.
TEST_P(EveryDecoder, survives_damage) {
  test::Random random(3);
  const std::string data = sample(20000);
  const std::string packed = GetParam().compressor(data);
  int accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = packed;
    for (unsigned n = 1 + random.below(3); n > 0; --n) damaged[random.below(damaged.size())] = random.byte();
    auto got = run(damaged, 1 + random.below(5000), 1 + random.below(5000));
    if (got && *got != data) ++accepted;
  }
  // The simple compressor of the tests writes zstd without a checksum.
  if (std::string_view(GetParam().name) != "zstd") {
    EXPECT_EQ(accepted, 0);
  }
}

class GzipDecoders : public testing::TestWithParam<Maker> {
 protected:
  static Result<std::string> run(std::string_view data, std::size_t piece = 65536) {
    return decode(*GetParam()(), data, piece, 65536);
  }
};
INSTANTIATE_TEST_SUITE_P(both, GzipDecoders, testing::Values(make_gzip_decoder_isal, make_gzip_decoder_zlib));

TEST_P(GzipDecoders, allow_zeros_behind_the_last_member) {
  const std::string packed = test::gzip("hello");
  for (std::size_t piece : {1UL, 65536UL}) {
    auto got = run(packed + std::string(1000, '\0'), piece);
    ASSERT_TRUE(got);
    EXPECT_EQ(*got, "hello");
  }
  EXPECT_FALSE(run(packed + std::string(1000, '\0') + packed));
}

TEST_P(GzipDecoders, know_all_fields_of_the_header) {
  // FEXTRA, FNAME and FCOMMENT.
  const std::string packed = test::gzip("hello");
  const std::string odd = packed.substr(0, 3) + '\x1c' + packed.substr(4, 6) + std::string("\x05\0abcde", 7) +
                          std::string("name\0", 5) + std::string("comment\0", 8) + packed.substr(10);
  for (std::size_t piece : {1UL, 3UL, 65536UL}) {
    auto got = run(odd, piece);
    ASSERT_TRUE(got) << got.error().text;
    EXPECT_EQ(*got, "hello");
  }
}

TEST_P(GzipDecoders, refuse_reserved_flags) {
  const std::string packed = test::gzip("hello");
  for (const char flag : {'\x20', '\x40', '\x80'}) {
    std::string odd = packed;
    odd[3] = static_cast<char>(odd[3] | flag);
    for (std::size_t piece : {1UL, 3UL, 65536UL}) {
      EXPECT_FALSE(run(odd, piece));
      EXPECT_FALSE(run(packed + odd, piece)) << "in a later member";
    }
  }
}

TEST_P(GzipDecoders, check_the_trailer) {
  const std::string packed = test::gzip(sample(1000));
  for (std::size_t back = 1; back <= 8; ++back) {
    std::string damaged = packed;
    damaged[damaged.size() - back] = static_cast<char>(damaged[damaged.size() - back] ^ 1);
    EXPECT_FALSE(run(damaged)) << back;
  }
}

// What ISA-L accepts is what zlib accepts, byte for byte.
TEST(Gzip, decoders_agree_on_damaged_data) {
  test::Random random(9);
  for (int i = 0; i < 4000; ++i) {
    // One after the other: the order of arguments is the compiler's choice.
    const auto size = 200 + random.below(3000);
    std::string data = test::gzip(sample(size, random.below(1000)));
    for (unsigned n = random.below(3); n > 0; --n) data[random.below(data.size())] = random.byte();
    auto isal = decode(*make_gzip_decoder_isal(), data, 1 + random.below(4000), 4096);
    auto zlib = decode(*make_gzip_decoder_zlib(), data, 65536, 65536);
    if (isal && zlib) {
      EXPECT_TRUE(*isal == *zlib);
    }
    EXPECT_EQ(isal.has_value(), zlib.has_value()) << (isal ? zlib.error().text : isal.error().text);
  }
}

TEST(Zstd, skips_skippable_frames) {
  const std::string skippable("\x50\x2a\x4d\x18\x04\0\0\0abcd", 12);
  const std::string packed = skippable + test::zstd("one ") + skippable + test::zstd("two") + skippable;
  auto got = decode(*make_zstd_decoder(), packed, 5, 65536);
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(*got, "one two");
}

TEST(Zstd, refuses_a_window_beyond_the_cap) {
  // A frame header (RFC 8878) without single segment, window descriptor exponent 31-10: 2 GiB.
  const std::string packed("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9);
  auto got = decode(*make_zstd_decoder(), packed, 65536, 65536);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::unsupported);
  EXPECT_THAT(got.error().text, testing::HasSubstr("128 MiB"));
}

TEST(Compression, is_found_from_the_first_bytes) {
  auto detect = [](const std::string& text) { return detect_compression(as_bytes(text)); };
  EXPECT_EQ(detect(test::gzip("x")), Compression::gzip);
  EXPECT_EQ(detect(test::zstd("x")), Compression::zstd);
  EXPECT_EQ(detect(std::string("\x5a\x2a\x4d\x18\0\0\0\0", 8)), Compression::zstd);
  EXPECT_EQ(detect(test::xz("x")), Compression::xz);
  EXPECT_EQ(detect(test::bzip2("x")), Compression::bzip2);
  EXPECT_EQ(detect(test::TarBuilder().file("a").finish()), Compression::none);
  EXPECT_EQ(detect(test::TarBuilder().finish()), Compression::none);
  EXPECT_EQ(detect(""), Compression::none);
  EXPECT_EQ(detect("PK\x03\x04" + std::string(600, 'x')), std::nullopt);
  EXPECT_EQ(detect("<html>" + std::string(600, ' ')), std::nullopt);
  EXPECT_EQ(detect("short"), std::nullopt);
}

}  // namespace
}  // namespace udk::archive
