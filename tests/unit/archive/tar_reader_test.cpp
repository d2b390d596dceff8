#include "archive/tar_reader.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "unit/archive/random.hpp"
#include "unit/archive/tar_builder.hpp"
#include "unit/temp_dir.hpp"

namespace udk::archive {
namespace {

using test::TarBuilder;
using testing::HasSubstr;

struct Read {
  EntryType type = EntryType::file;
  std::string path;
  std::string link;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  unsigned mode = 0;
  std::uint64_t size = 0;
  std::int64_t seconds = 0;
  long nanoseconds = 0;
  std::string content;  // holes as zeros
  std::size_t pieces = 0;
};

// Hands out what it was given, cut into blocks as an archive is.
class Pieces final : public BlockReader {
 public:
  Pieces(std::string_view data, std::size_t size) : data_(data), size_(size) {}
  Result<std::span<const std::byte>> next() override {
    std::string_view piece = data_.substr(0, size_);
    data_.remove_prefix(piece.size());
    return as_bytes(piece);
  }

 private:
  std::string_view data_;
  std::size_t size_;
};

Result<std::vector<Read>> read(const std::string& archive, std::size_t piece = 10240) {
  Pieces blocks(archive, piece);
  TarReader reader(blocks);
  std::vector<Read> out;
  for (;;) {
    TRY_ASSIGN(const TarEntry* entry, reader.next());
    if (!entry) break;
    Read each{entry->type, std::string(entry->path), std::string(entry->link), entry->uid, entry->gid, entry->mode,
              entry->size, entry->mtime.tv_sec,      entry->mtime.tv_nsec,     {},         0};
    if (entry->type == EntryType::file) {
      for (;;) {
        TRY_ASSIGN(TarData data, reader.data());
        if (data.bytes.empty()) break;
        if (data.offset < each.content.size()) return fail(Code::internal, "pieces go backwards");
        each.content.resize(data.offset, '\0');
        each.content.append(reinterpret_cast<const char*>(data.bytes.data()), data.bytes.size());
        ++each.pieces;
      }
      if (each.content.size() > each.size) return fail(Code::internal, "more content than the size says");
      if (each.size < 100 << 20) each.content.resize(each.size, '\0');
    }
    out.push_back(each);
  }
  TRY(reader.drain());
  return out;
}

Read read_one(const std::string& archive) {
  auto all = read(archive);
  EXPECT_TRUE(all) << all.error().text;
  if (!all || all->empty()) return {};
  EXPECT_EQ(all->size(), 1U);
  return all->front();
}

std::string error_of(const std::string& archive) {
  auto all = read(archive);
  EXPECT_FALSE(all);
  if (all) return "";
  EXPECT_EQ(all.error().code, Code::corrupt);
  return all.error().text;
}

TEST(TarReader, reads_all_fields_of_ustar) {
  Read one = read_one(
      TarBuilder().add({.path = "a/b", .content = "hello", .mode = 04751, .uid = 1, .gid = 2, .mtime = 3}).finish());
  EXPECT_EQ(one.type, EntryType::file);
  EXPECT_EQ(one.path, "a/b");
  EXPECT_EQ(one.mode, 04751U);
  EXPECT_EQ(one.uid, 1U);
  EXPECT_EQ(one.gid, 2U);
  EXPECT_EQ(one.seconds, 3);
  EXPECT_EQ(one.size, 5U);
  EXPECT_EQ(one.content, "hello");
}

TEST(TarReader, joins_the_prefix_of_ustar) {
  std::string header = TarBuilder::header({.path = std::string(100, 'n')}, 0);
  header.replace(345, 155, std::string(155, 'p'));
  TarBuilder::set_checksum(header);
  EXPECT_EQ(read_one(TarBuilder().raw(header).finish()).path, std::string(155, 'p') + "/" + std::string(100, 'n'));
}

TEST(TarReader, does_not_take_the_times_of_a_gnu_header_for_a_prefix) {
  std::string header = TarBuilder::header({.path = "name"}, 0);
  header.replace(257, 8, std::string("ustar  \0", 8));
  header.replace(345, 12, "12345670123 ");  // atime
  TarBuilder::set_checksum(header);
  EXPECT_EQ(read_one(TarBuilder().raw(header).finish()).path, "name");
}

TEST(TarReader, reads_headers_from_before_ustar) {
  std::string file = TarBuilder::header({.path = "old", .type = '\0'}, 3);
  std::string dir = TarBuilder::header({.path = "olddir/", .type = '\0'}, 0);
  for (std::string* header : {&file, &dir}) {
    header->replace(257, 255, std::string(255, '\0'));
    TarBuilder::set_checksum(*header);
  }
  auto all = read(TarBuilder().raw(file).raw(TarBuilder::padded("abc")).raw(dir).finish());
  ASSERT_TRUE(all) << all.error().text;
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].content, "abc");
  EXPECT_EQ((*all)[1].type, EntryType::directory);
}

TEST(TarReader, knows_the_types) {
  auto all = read(TarBuilder()
                      .file("f")
                      .hardlink("h", "f")
                      .symlink("s", "t")
                      .add({.path = "c", .type = '3'})
                      .add({.path = "b", .type = '4'})
                      .dir("d")
                      .add({.path = "p", .type = '6'})
                      .add({.path = "contiguous", .type = '7', .content = "x"})
                      .finish());
  ASSERT_TRUE(all) << all.error().text;
  std::vector<EntryType> types;
  for (const Read& each : *all) types.push_back(each.type);
  EXPECT_EQ(types, (std::vector<EntryType>{EntryType::file, EntryType::hardlink, EntryType::symlink, EntryType::device,
                                           EntryType::device, EntryType::directory, EntryType::fifo, EntryType::file}));
  EXPECT_EQ((*all)[1].link, "f");
  EXPECT_EQ((*all)[2].link, "t");
}

TEST(TarReader, reads_numbers_in_base_256) {
  Read one = read_one(TarBuilder().add({.path = "a", .uid = 3'000'000'000, .gid = 0x7fffffff, .mtime = -5}).finish());
  EXPECT_EQ(one.uid, 3'000'000'000U);
  EXPECT_EQ(one.gid, 0x7fffffffU);
  EXPECT_EQ(one.seconds, -5);
  EXPECT_EQ(read_one(TarBuilder().add({.path = "a", .mtime = 1LL << 40}).finish()).seconds, 1LL << 40);
}

TEST(TarReader, takes_all_attributes_of_pax) {
  const std::string path = "p/" + std::string(5000, 'x') + "/\xc5\x91\xff";
  Read one = read_one(TarBuilder()
                          .pax({{"path", path},
                                {"uid", "4000000000"},
                                {"gid", "77"},
                                {"size", "4"},
                                {"mtime", "-1.5"},
                                {"SCHILY.xattr.user.x", std::string("a\0b=\n", 5)},
                                {"comment", "x"}})
                          .raw(TarBuilder::header({.path = "short"}, 0))
                          .raw(TarBuilder::padded("four"))
                          .finish());
  EXPECT_EQ(one.path, path);
  EXPECT_EQ(one.uid, 4000000000U);
  EXPECT_EQ(one.gid, 77U);
  EXPECT_EQ(one.content, "four");
  EXPECT_EQ(one.seconds, -2);
  EXPECT_EQ(one.nanoseconds, 500000000);
  EXPECT_EQ(read_one(TarBuilder().pax({{"linkpath", std::string(3000, 'l')}}).symlink("s", "short").finish()).link,
            std::string(3000, 'l'));
}

TEST(TarReader, pax_attributes_belong_to_the_next_member_alone) {
  auto all = read(TarBuilder().pax({{"path", "one"}, {"uid", "5"}}).file("x").file("y").finish());
  ASSERT_TRUE(all);
  EXPECT_EQ((*all)[0].path, "one");
  EXPECT_EQ((*all)[1].path, "y");
  EXPECT_EQ((*all)[1].uid, 0U);
}

TEST(TarReader, global_pax_headers_change_nothing) {
  EXPECT_EQ(read_one(TarBuilder().pax({{"comment", "abc"}, {"path", "all"}}, 'g').file("x").finish()).path, "x");
}

TEST(TarReader, reads_long_names_of_gnu) {
  const std::string name(3000, 'n');
  const std::string link(4000, 'l');
  Read one = read_one(TarBuilder().gnu_long('K', link).gnu_long('L', name).symlink("x", "y").finish());
  EXPECT_EQ(one.path, name);
  EXPECT_EQ(one.link, link);
}

TEST(TarReader, content_does_not_depend_on_where_blocks_end) {
  TarBuilder tar;
  for (std::size_t size : {0UL, 1UL, 511UL, 512UL, 513UL, 5000UL, 70000UL})
    tar.file("f", std::string(size, 'c')).pax({{"path", std::string(3000, 'q')}});
  const std::string archive = tar.file("last").finish();
  for (std::size_t piece : {512UL, 1024UL, 10240UL, 262144UL}) {
    auto all = read(archive, piece);
    ASSERT_TRUE(all) << all.error().text;
    ASSERT_EQ(all->size(), 8U);
    EXPECT_EQ((*all)[6].content, std::string(70000, 'c'));
  }
}

TEST(TarReader, skips_what_was_not_read) {
  const std::string archive = TarBuilder().file("a", std::string(50000, 'x')).file("b", "y").finish();
  Pieces blocks(archive, 4096);
  TarReader reader(blocks);
  EXPECT_EQ((*reader.next())->path, "a");
  EXPECT_EQ((*reader.next())->path, "b");
  EXPECT_EQ(reader.data()->bytes.size(), 1U);
  EXPECT_EQ(*reader.next(), nullptr);
  EXPECT_EQ(*reader.next(), nullptr);
}

TEST(TarReader, refuses_damage) {
  const std::string good = TarBuilder().file("a", "x").finish();
  std::string flipped = good;
  flipped[10] = 'z';
  EXPECT_THAT(error_of(flipped), HasSubstr("damaged"));
  EXPECT_THAT(error_of(good.substr(0, 700)), HasSubstr("damaged"));
  EXPECT_THAT(error_of(good.substr(0, 512)), HasSubstr("damaged"));
  EXPECT_THAT(error_of(good.substr(0, 100)), HasSubstr("damaged"));
  EXPECT_THAT(error_of(good.substr(0, 1024) + std::string(512, 'x')), HasSubstr("damaged"));
  EXPECT_THAT(error_of(TarBuilder().add({.path = "a", .uid = 0xffffffff}).finish()), HasSubstr("damaged"));
  EXPECT_THAT(error_of(TarBuilder().add({.path = "a", .uid = 1ULL << 33}).finish()), HasSubstr("damaged"));
  EXPECT_THAT(error_of(TarBuilder().pax({{"size", "99999999999999999999999"}}).file("x").finish()),
              HasSubstr("damaged"));
}

// The four ways to store a file with holes, as GNU tar writes them.
class Sparse : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(formats, Sparse,
                         testing::Values("--format=gnu", "--format=posix --sparse-version=0.0",
                                         "--format=posix --sparse-version=0.1", "--format=posix --sparse-version=1.0"));

TEST_P(Sparse, holes_stay_holes) {
  udk::test::TempDir dir;
  // 40 pieces: more than fit in the first header of the old format.
  std::string expected;
  {
    Fd file = open_at(AT_FDCWD, dir / "sparse", O_CREAT | O_WRONLY, 0644).value();
    for (off_t i = 0; i < 40; ++i) ASSERT_EQ(::pwrite(file.get(), "data", 4, i * 200000), 4);
    ASSERT_EQ(::ftruncate(file.get(), 9'000'000), 0);
  }
  ASSERT_TRUE(write_file_atomic(dir / "plain", "plain"));
  const std::string command = "cd " + dir.path() + " && tar -cSf a.tar " + GetParam() + " sparse plain";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::string archive = read_file(dir / "a.tar").value();
  ASSERT_LT(archive.size(), 1'000'000U);
  for (std::size_t piece : {512UL, 10240UL}) {
    auto all = read(archive, piece);
    ASSERT_TRUE(all) << all.error().text;
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ((*all)[0].path, "sparse");
    EXPECT_EQ((*all)[0].size, 9'000'000U);
    EXPECT_TRUE((*all)[0].content == read_file(dir / "sparse").value());
    EXPECT_GE((*all)[0].pieces, 40U);
    EXPECT_EQ((*all)[1].content, "plain");
  }
}

// Whatever the bytes are: an answer or Code::corrupt.
TEST(TarReader, survives_damage) {
  test::Random random(5);
  const std::string good = TarBuilder()
                               .pax({{"path", "long"}, {"size", "3"}, {"mtime", "1.5"}, {"GNU.sparse.major", "1"}})
                               .file("a", "xyz")
                               .gnu_long('L', "name")
                               .symlink("s", "t")
                               .add({.path = "sp", .type = 'S', .content = std::string(1024, 'x')})
                               .finish();
  for (int i = 0; i < 5000; ++i) {
    std::string bad = good;
    for (unsigned n = 1 + random.below(4); n > 0; --n) bad[random.below(bad.size())] = random.byte();
    // The checksums would stop nearly all of it.
    for (std::size_t at = 0; at + 512 <= bad.size(); at += 512) {
      if (bad.compare(at + 257, 5, "ustar") != 0) continue;
      std::string header = bad.substr(at, 512);
      TarBuilder::set_checksum(header);
      bad.replace(at, 512, header);
    }
    auto all = read(bad);
    if (!all) {
      EXPECT_EQ(all.error().code, Code::corrupt) << all.error().text;
    }
  }
}

}  // namespace
}  // namespace udk::archive
