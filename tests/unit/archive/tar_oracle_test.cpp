// Our reader against libarchive's, on archives of real tools and of our own making.
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "archive/tar_reader.hpp"
#include "base/file.hpp"
#include "unit/archive/random.hpp"
#include "unit/archive/tar_builder.hpp"
#include "unit/temp_dir.hpp"

namespace udk::archive {
namespace {

// All of a member as one line, so that a difference can be read.
using Members = std::vector<std::string>;

std::string line(char type, const std::string& path, const std::string& link, std::uint64_t uid, std::uint64_t gid,
                 unsigned mode, std::uint64_t size, std::int64_t seconds, long nanoseconds,
                 const std::string& content) {
  std::string out(1, type);
  for (auto number : {uid, gid, std::uint64_t{mode}, size}) out += " " + std::to_string(number);
  out += " " + std::to_string(seconds) + "." + std::to_string(nanoseconds) + " " + path;
  if (!link.empty()) out += " -> " + link;
  if (!content.empty()) out += " " + sha256_hex(content);
  return out;
}

void place(std::string& content, std::uint64_t offset, const char* bytes, std::size_t size) {
  if (content.size() < offset + size) content.resize(offset + size, '\0');
  content.replace(offset, size, bytes, size);
}

class Blocks final : public BlockReader {
 public:
  explicit Blocks(std::string_view data) : data_(data) {}
  Result<std::span<const std::byte>> next() override {
    std::string_view piece = data_.substr(0, 10240);
    data_.remove_prefix(piece.size());
    return as_bytes(piece);
  }

 private:
  std::string_view data_;
};

Result<Members> read_ours(const std::string& archive) {
  Blocks blocks(archive);
  TarReader reader(blocks);
  Members out;
  for (;;) {
    TRY_ASSIGN(const TarEntry* entry, reader.next());
    if (!entry) return out;
    std::string content;
    for (;;) {
      TRY_ASSIGN(TarData data, reader.data());
      if (data.bytes.empty()) break;
      place(content, data.offset, reinterpret_cast<const char*>(data.bytes.data()), data.bytes.size());
    }
    const bool is_link = entry->type == EntryType::symlink || entry->type == EntryType::hardlink;
    if (entry->type == EntryType::file) content.resize(entry->size, '\0');
    out.push_back(line("fdlhpc"[static_cast<int>(entry->type)], std::string(entry->path),
                       is_link ? std::string(entry->link) : "", entry->uid, entry->gid, entry->mode, entry->size,
                       entry->mtime.tv_sec, entry->mtime.tv_nsec, content));
  }
}

char type_of(::archive_entry* entry) {
  if (archive_entry_hardlink(entry)) return 'h';
  switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
      return 'd';
    case AE_IFLNK:
      return 'l';
    case AE_IFIFO:
      return 'p';
    case AE_IFCHR:
    case AE_IFBLK:
      return 'c';
    default:
      return 'f';
  }
}

// nullopt if the library finds fault with it. Without a locale it warns of every name that is not ASCII and keeps the
// bytes.
std::optional<Members> read_theirs(const std::string& archive) {
  ::archive* handle = archive_read_new();
  archive_read_support_format_tar(handle);
  archive_read_open_memory(handle, archive.data(), archive.size());
  Members out;
  ::archive_entry* entry = nullptr;
  int code = 0;
  while ((code = archive_read_next_header(handle, &entry)) == ARCHIVE_OK || code == ARCHIVE_WARN) {
    std::string content;
    const void* bytes = nullptr;
    std::size_t size = 0;
    std::int64_t offset = 0;
    int data = 0;
    while ((data = archive_read_data_block(handle, &bytes, &size, &offset)) == ARCHIVE_OK)
      place(content, static_cast<std::uint64_t>(offset), static_cast<const char*>(bytes), size);
    const char type = type_of(entry);
    const char* link = type == 'h' ? archive_entry_hardlink(entry) : archive_entry_symlink(entry);
    const auto length = static_cast<std::uint64_t>(type == 'f' ? archive_entry_size(entry) : 0);
    if (data != ARCHIVE_EOF) break;  // the size may be anything
    if (type == 'f') content.resize(length, '\0');
    out.push_back(line(type, archive_entry_pathname(entry), link ? link : "",
                       static_cast<std::uint64_t>(archive_entry_uid(entry)),
                       static_cast<std::uint64_t>(archive_entry_gid(entry)), archive_entry_perm(entry) & 07777U, length,
                       archive_entry_mtime(entry), archive_entry_mtime_nsec(entry), content));
  }
  archive_read_free(handle);
  if (code != ARCHIVE_EOF) return std::nullopt;
  return out;
}

void expect_same(const std::string& archive) {
  auto ours = read_ours(archive);
  auto theirs = read_theirs(archive);
  ASSERT_TRUE(ours) << ours.error().text;
  ASSERT_TRUE(theirs);
  EXPECT_EQ(*ours, *theirs);
}

class TarFormats : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(all, TarFormats, testing::Values("v7", "oldgnu", "gnu", "ustar", "posix"));

TEST_P(TarFormats, of_gnu_tar_are_read_alike) {
  const std::string format = GetParam();
  udk::test::TempDir dir;
  // Names as long as the format takes.
  const std::size_t most = format == "v7" ? 80 : format == "ustar" ? 90 : 250;
  std::string script = "cd " + dir.path() + " && exec 2>/dev/null; mkdir -p top/sub top/empty && ";
  script += "for i in 1 2 3 600 70000; do head -c $i /dev/zero | tr '\\0' a >top/sub/$i; done; ";
  script += "echo x >top/" + std::string(most, 'n') + "; ln -s " + std::string(most, 't') + " top/symlink; ";
  script += "ln top/sub/600 top/hard; mkfifo top/fifo; chmod 4755 top/sub/1; chmod 1777 top/empty; ";
  // Before 1970 only in whole seconds: libarchive 3.6 reads a fraction there as if it counted forwards.
  script += "touch -d '1969-12-31 23:59:50 UTC' top/sub/2; touch -d '2100-01-01 00:00:00.123456789 UTC' top/sub/3; ";
  if (format == "gnu" || format == "posix")
    script += "mkdir -p top/" + std::string(200, 'd') + "/" + std::string(200, 'e') + "; ";
  script += "echo y >'top/F\xc5\x91' && tar -cf a.tar --owner=1234 --group=56 --format=" + format + " top; true";
  ASSERT_EQ(std::system(script.c_str()), 0);
  expect_same(read_file(dir / "a.tar").value());
}

// Whole directories of this machine.
TEST(TarOracle, real_trees_are_read_alike) {
  udk::test::TempDir dir;
  for (const char* format : {"gnu", "posix", "ustar"}) {
    const std::string command = std::string("tar -C / -cf ") + (dir / "a.tar") + " --format=" + format +
                                " usr/share/perl5 usr/share/ca-certificates usr/include/linux 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << format;
    expect_same(read_file(dir / "a.tar", std::size_t{1} << 30).value());
  }
}

// Where both accept damaged bytes they read the same out of them; the library may forgive more.
TEST(TarOracle, what_ours_accepts_is_read_alike) {
  test::Random random(11);
  const std::string good = test::TarBuilder()
                               .pax({{"path", "long"}, {"size", "3"}, {"mtime", "77.5"}, {"uid", "70000"}})
                               .file("a", "xyz")
                               .gnu_long('L', "other name")
                               .symlink("s", "target")
                               .add({.path = "d/", .type = '5', .mode = 0755})
                               .add({.path = "g", .uid = 3'000'000'000})
                               .file("last", std::string(1500, 'l'))
                               .finish();
  int compared = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string bad = good;
    for (unsigned n = 1 + random.below(2); n > 0; --n)
      bad[random.below(bad.size())] = static_cast<char>('0' + random.below(10));
    for (std::size_t at = 0; at + 512 <= bad.size(); at += 512) {
      if (bad.compare(at + 257, 5, "ustar") != 0) continue;
      std::string header = bad.substr(at, 512);
      test::TarBuilder::set_checksum(header);
      bad.replace(at, 512, header);
    }
    auto ours = read_ours(bad);
    auto theirs = read_theirs(bad);
    if (!ours || !theirs) continue;
    ++compared;
    ASSERT_EQ(*ours, *theirs) << "round " << i;
  }
  EXPECT_GT(compared, 300);
}

}  // namespace
}  // namespace udk::archive
