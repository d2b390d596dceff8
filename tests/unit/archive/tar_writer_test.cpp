#include "archive/tar_writer.hpp"

#include <gtest/gtest.h>

#include "archive/tar_header.hpp"
#include "archive/tar_reader.hpp"
#include "base/file.hpp"

namespace udk::archive {
namespace {

// A whole archive as one block.
class TextReader final : public BlockReader {
 public:
  explicit TextReader(const std::string& text) : left_(as_bytes(text)) {}
  Result<std::span<const std::byte>> next() override { return std::exchange(left_, {}); }

 private:
  std::span<const std::byte> left_;
};

Member member_of(MemberType type, std::string_view name, std::string_view link = "") {
  Member member;
  member.type = type;
  member.name = name;
  member.link = link;
  member.mtime = {1, 0};
  return member;
}

std::string archive_of(const Member& member) {
  std::string text;
  append_header(text, member);
  EXPECT_EQ(text.size() % k_tar_block, 0U);
  return text;
}

// The archive's only member, as our reader sees it.
void expect_member(const std::string& archive, const Member& member) {
  TextReader blocks(archive);
  TarReader reader(blocks);
  const auto entry = reader.next();
  ASSERT_TRUE(entry) << entry.error().text;
  ASSERT_TRUE(*entry);
  EXPECT_EQ((*entry)->path, member.name);
  EXPECT_EQ((*entry)->link, member.link);
  EXPECT_EQ((*entry)->size, member.size);
  EXPECT_EQ((*entry)->uid, member.uid);
  EXPECT_EQ((*entry)->gid, member.gid);
  EXPECT_EQ((*entry)->mode, member.mode);
  EXPECT_EQ((*entry)->mtime.tv_sec, member.mtime.tv_sec);
  EXPECT_EQ((*entry)->mtime.tv_nsec, member.mtime.tv_nsec);
}

TEST(TarWriter, IsReadAsItWasWritten) {
  const auto archive = archive_of(member_of(MemberType::hard_link, "a/layer.tar", "b/layer.tar"));
  ASSERT_EQ(archive.size(), k_tar_block);
  const TarBlock block = as_bytes(archive).first<k_tar_block>();
  EXPECT_TRUE(has_valid_checksum(block));
  EXPECT_EQ(TarHeader(block).type(), '1');
  expect_member(archive, member_of(MemberType::hard_link, "a/layer.tar", "b/layer.tar"));
}

TEST(TarWriter, HasSizesOfAnyFile) {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{511}, (std::uint64_t{1} << 33) - 1,
                                   std::uint64_t{1} << 33, std::uint64_t{1} << 50}) {
    auto member = member_of(MemberType::file, "f");
    member.size = size;
    expect_member(archive_of(member), member);
    EXPECT_EQ((size + padding_after(size)) % k_tar_block, 0U);
  }
}

TEST(TarWriter, HasNamesOfAnyLength) {
  for (const std::size_t length : {1U, 99U, 100U, 101U, 155U, 200U, 255U, 256U, 257U, 4000U}) {
    std::string flat(length, 'n');
    std::string deep;
    while (deep.size() < length) deep += "ab/";
    deep.resize(length, 'c');
    deep.back() = 'c';
    for (const auto& name : {flat, deep}) {
      expect_member(archive_of(member_of(MemberType::file, name)), member_of(MemberType::file, name));
      expect_member(archive_of(member_of(MemberType::symlink, "l", name)), member_of(MemberType::symlink, "l", name));
      const std::string folder = name + "/";
      expect_member(archive_of(member_of(MemberType::directory, folder)), member_of(MemberType::directory, folder));
    }
  }
}

TEST(TarWriter, HasOwnersAndTimesOfAnyFile) {
  for (const timespec time : {timespec{0, 0}, timespec{-1, 0}, timespec{-2, 250'000'000}, timespec{1, 1},
                              timespec{INT64_C(1) << 34, 999'999'999}, timespec{INT64_C(1) << 33, 0}}) {
    auto member = member_of(MemberType::fifo, "f");
    member.mtime = time;
    member.uid = UINT32_MAX - 1;
    member.gid = (1U << 21) - 1;
    member.mode = 07777;
    expect_member(archive_of(member), member);
  }
}

TEST(TarWriter, LeavesHolesOut) {
  auto member = member_of(MemberType::file, std::string(120, 's'));
  const std::string name(120, 's');
  member.name = name;
  member.size = 100'000;
  std::string archive;
  append_sparse_header(archive, member, std::vector<FileExtent>{{4096, 3}, {65536, 512}});
  archive += "abc" + std::string(512, 'd') + std::string(padding_after(515), '\0') + std::string(1024, '\0');
  TextReader blocks(archive);
  TarReader reader(blocks);
  const auto entry = reader.next();
  ASSERT_TRUE(entry) << entry.error().text;
  EXPECT_EQ((*entry)->path, name);
  EXPECT_EQ((*entry)->size, 100'000U);
  std::string read;
  for (;;) {
    const auto piece = reader.data();
    ASSERT_TRUE(piece) << piece.error().text;
    if (piece->bytes.empty()) break;
    read.resize(piece->offset, '\0');
    read.append(reinterpret_cast<const char*>(piece->bytes.data()), piece->bytes.size());
  }
  EXPECT_EQ(read.substr(4096, 3), "abc");
  EXPECT_EQ(read.substr(65536), std::string(512, 'd'));
  const auto end = reader.next();
  ASSERT_TRUE(end) << end.error().text;
  EXPECT_FALSE(*end);
}

}  // namespace
}  // namespace udk::archive
