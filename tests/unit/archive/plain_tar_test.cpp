#include "archive/plain_tar.hpp"

#include <gtest/gtest.h>

#include "archive/tar_header.hpp"

namespace udk::archive {
namespace {

TEST(PlainTar, IsReadAsItWasWritten) {
  const auto block = plain_header({PlainType::hard_link, "a/layer.tar", "b/layer.tar", 0, 1});
  EXPECT_TRUE(has_valid_checksum(block));
  const TarHeader header{TarBlock(block)};
  EXPECT_EQ(header.name(), "a/layer.tar");
  EXPECT_EQ(header.link(), "b/layer.tar");
  EXPECT_EQ(header.type(), '1');
  EXPECT_EQ(*header.mtime(), 1);
  EXPECT_EQ(*header.mode(), 0644);
}

TEST(PlainTar, HasSizesOfAnyFile) {
  for (std::uint64_t size : {std::uint64_t{0}, std::uint64_t{511}, (std::uint64_t{1} << 33) - 1, std::uint64_t{1} << 33,
                             std::uint64_t{1} << 50}) {
    const auto block = plain_header({PlainType::file, "f", "", size, 0});
    EXPECT_TRUE(has_valid_checksum(block)) << size;
    EXPECT_EQ(*TarHeader{TarBlock(block)}.size(), size);
    EXPECT_EQ((size + padding_after(size)) % k_tar_block, 0U);
  }
}

TEST(PlainTar, TakesNamesOfTheFullLength) {
  const std::string name(100, 'n');
  const auto block = plain_header({PlainType::directory, name, "", 0, 0});
  const TarHeader header{TarBlock(block)};
  EXPECT_EQ(header.name(), name);
  EXPECT_EQ(*header.mode(), 0755);
}

}  // namespace
}  // namespace udk::archive
