#include "base/copy_tree.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/file.hpp"
#include "base/file_extents.hpp"
#include "base/own_file.hpp"
#include "base/path.hpp"
#include "unit/temp_dir.hpp"

namespace udk {
namespace {

class CopyTree : public testing::Test {
 protected:
  CopyTree() : from_(dir_ / "from"), to_(dir_ / "to") {
    EXPECT_TRUE(make_dirs(from_));
    EXPECT_TRUE(make_dirs(to_));
  }

  void write(const std::string& name, std::string_view content) const {
    const auto fd = open_at(AT_FDCWD, path_join(from_, name), O_WRONLY | O_CREAT | O_EXCL, 0666);
    ASSERT_TRUE(fd);
    EXPECT_TRUE(write_all(fd->get(), as_bytes(content)));
  }
  [[nodiscard]] struct stat status(const std::string& name) const {
    struct stat st {};
    EXPECT_EQ(::lstat(path_join(to_, name).c_str(), &st), 0) << name;
    return st;
  }

  test::TempDir dir_;
  std::string from_, to_;
};

TEST_F(CopyTree, KeepsLinksModesAndTimes) {
  EXPECT_TRUE(make_dirs(path_join(from_, "a/b")));
  write("a/b/one", "content");
  EXPECT_EQ(::link(path_join(from_, "a/b/one").c_str(), path_join(from_, "two").c_str()), 0);
  EXPECT_TRUE(symlink_at("nowhere", AT_FDCWD, path_join(from_, "link")));
  EXPECT_EQ(::chmod(path_join(from_, "a/b").c_str(), 01711), 0);
  const std::array<timespec, 2> times{timespec{1, 2}, timespec{-5, 7}};
  for (const char* name : {"a/b/one", "a", "a/b"})
    EXPECT_EQ(::utimensat(AT_FDCWD, path_join(from_, name).c_str(), times.data(), 0), 0);
  ASSERT_TRUE(copy_tree(from_, to_, {}));
  EXPECT_EQ(*read_file(path_join(to_, "two")), "content");
  EXPECT_EQ(status("two").st_ino, status("a/b/one").st_ino);
  EXPECT_EQ(status("a/b").st_mode & 07777U, 01711U);
  EXPECT_EQ(*readlink_at(AT_FDCWD, path_join(to_, "link")), "nowhere");
  for (const char* name : {"two", "a", "a/b"}) {
    EXPECT_EQ(status(name).st_mtim.tv_sec, -5) << name;
    EXPECT_EQ(status(name).st_mtim.tv_nsec, 7) << name;
  }
}

TEST_F(CopyTree, LeavesOutWhatIsExcepted) {
  EXPECT_TRUE(make_dirs(path_join(from_, "a/skip")));
  EXPECT_TRUE(make_dirs(path_join(from_, "skip")));
  CopyOptions options;
  options.except = "skip";
  ASSERT_TRUE(copy_tree(from_, to_, options));
  EXPECT_TRUE(exists(path_join(to_, "a/skip")));
  EXPECT_FALSE(exists(path_join(to_, "skip")));
}

TEST_F(CopyTree, CopiesManyFilesInManyDirectories) {
  for (int i = 0; i < 20; ++i) {
    const std::string folder = std::to_string(i) + "/inner";
    EXPECT_TRUE(make_dirs(path_join(from_, folder)));
    for (int k = 0; k < 300; ++k)
      write(path_join(folder, std::to_string(k)), std::string(static_cast<std::size_t>(k), 'x'));
  }
  ASSERT_TRUE(copy_tree(from_, to_, {}));
  EXPECT_EQ(list_dir(path_join(to_, "7/inner"))->size(), 300U);
  EXPECT_EQ(read_file(path_join(to_, "19/inner/299"))->size(), 299U);
}

TEST_F(CopyTree, TellsOfTheFirstError) {
  write("taken", "new");
  EXPECT_TRUE(write_file_atomic(path_join(to_, "taken"), "old"));
  const auto done = copy_tree(from_, to_, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::exists);
  EXPECT_NE(done.error().text.find("taken"), std::string::npos);
  EXPECT_EQ(*read_file(path_join(to_, "taken")), "old");
}

TEST(FileExtents, KnowTheHoles) {
  const test::TempDir dir;
  const Fd fd(::open((dir / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_TRUE(fd);
  ASSERT_EQ(::ftruncate(fd.get(), 1 << 20), 0);
  struct stat st {};
  ASSERT_EQ(::fstat(fd.get(), &st), 0);
  EXPECT_TRUE(file_extents(fd.get(), st)->empty());
  ASSERT_EQ(::pwrite(fd.get(), "x", 1, 1 << 19), 1);
  ASSERT_EQ(::fstat(fd.get(), &st), 0);
  const auto extents = file_extents(fd.get(), st);
  ASSERT_TRUE(extents);
  ASSERT_EQ(extents->size(), 1U);
  EXPECT_LE(extents->front().offset, std::uint64_t{1} << 19);
  EXPECT_GT(extents->front().offset + extents->front().size, std::uint64_t{1} << 19);
  EXPECT_LT(extents->front().size, std::uint64_t{1} << 19);
}

TEST(OwnFile, OpensWhatIsClosedAndLeavesItClosed) {
  const test::TempDir dir;
  const std::string folder = dir / "folder";
  ASSERT_TRUE(make_dirs(folder));
  ASSERT_TRUE(write_file_atomic(folder + "/file", "content", 0));
  ASSERT_EQ(::chmod(folder.c_str(), 0), 0);
  struct stat st {};
  {
    const auto opened = OwnDir::open(AT_FDCWD, folder);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->status().st_mode & 07777U, 0U);
    const auto file = open_own_file(opened->fd(), "file");
    ASSERT_TRUE(file) << file.error().text;
    EXPECT_EQ(*read_all(file->get()), "content");
    ASSERT_EQ(::fstatat(opened->fd(), "file", &st, 0), 0);
    EXPECT_EQ(st.st_mode & 07777U, 0U);
  }
  ASSERT_EQ(::stat(folder.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777U, 0U);
}

}  // namespace
}  // namespace udk
