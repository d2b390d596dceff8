#include "image/digest.hpp"

#include <gtest/gtest.h>

namespace udk::image {
namespace {

const std::string k_hex64(64, 'a');
const std::string k_hex128(128, '0');

TEST(Digest, Parses) {
  auto digest = Digest::parse("sha256:" + k_hex64);
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->kind(), HashKind::sha256);
  EXPECT_EQ(digest->algorithm(), "sha256");
  EXPECT_EQ(digest->hex(), k_hex64);
  EXPECT_EQ(digest->text(), "sha256:" + k_hex64);
  EXPECT_EQ(digest->short_text(), "sha256:aaaaaaaaaaaa");
  EXPECT_EQ(Digest::parse("sha512:" + k_hex128)->hex(), k_hex128);
}

TEST(Digest, RefusesAllElse) {
  for (const auto& text :
       {std::string(), std::string("sha256"), std::string("sha256:"), "sha256:" + k_hex64.substr(1),
        "sha256:" + k_hex64 + "a", "SHA256:" + k_hex64, "sha256:" + std::string(64, 'A'), "sha256:" + k_hex128,
        "sha512:" + k_hex64, "md5:" + std::string(32, '0'), "sha256:../../" + k_hex64.substr(6), " sha256:" + k_hex64,
        "sha256:" + k_hex64.substr(1) + "\n", ":" + k_hex64, "sha256:" + k_hex64.substr(1) + std::string(1, '\0')}) {
    auto digest = Digest::parse(text);
    ASSERT_FALSE(digest) << text;
    EXPECT_EQ(digest.error().code, Code::corrupt);
  }
}

TEST(Digest, OfBytes) {
  EXPECT_EQ(Digest::of("abc").text(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Digest::of("abc"), *Digest::parse(Digest::of("abc").text()));
  EXPECT_NE(Digest::of("abc"), Digest::of("abc", HashKind::sha512));
  EXPECT_LT(*Digest::parse("sha256:" + k_hex64), *Digest::parse("sha256:" + std::string(64, 'b')));
}

}  // namespace
}  // namespace udk::image
