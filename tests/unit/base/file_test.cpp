#include "base/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "unit/temp_dir.hpp"

namespace udk {
namespace {

using test::TempDir;

TEST(File, AtomicWriteReplaces) {
  TempDir dir;
  ASSERT_TRUE(write_file_atomic(dir / "f", "one"));
  ASSERT_TRUE(write_file_atomic(dir / "f", "two"));
  EXPECT_EQ(*read_file(dir / "f"), "two");
  EXPECT_EQ(list_dir(dir.path())->size(), 1U);
}
TEST(File, ReadLimit) {
  TempDir dir;
  ASSERT_TRUE(write_file_atomic(dir / "f", "12345"));
  EXPECT_EQ(read_file(dir / "f", 4).error().code, Code::corrupt);
}
TEST(File, MissingFileNamesItself) {
  auto missing = read_file("/nonexistent/x");
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_EQ(missing.error().text, "/nonexistent/x: No such file or directory");
}
TEST(File, MakeDirsIsIdempotentAndRefusesFiles) {
  TempDir dir;
  ASSERT_TRUE(make_dirs(dir / "a/b/c"));
  ASSERT_TRUE(make_dirs(dir / "a/b/c"));
  ASSERT_TRUE(write_file_atomic(dir / "f", ""));
  EXPECT_FALSE(make_dirs(dir / "f"));
}
TEST(File, RemoveTreeNeverFollowsLinks) {
  TempDir dir;
  ASSERT_TRUE(make_dirs(dir / "victim"));
  ASSERT_TRUE(write_file_atomic(dir / "victim/keep", "x"));
  ASSERT_TRUE(make_dirs(dir / "tree/sub"));
  ASSERT_TRUE(symlink_at(dir / "victim", AT_FDCWD, dir / "tree/sub/link"));
  ASSERT_EQ(::chmod((dir / "tree/sub").c_str(), 0), 0);
  ASSERT_TRUE(remove_tree_at(AT_FDCWD, dir / "tree"));
  EXPECT_FALSE(exists(dir / "tree"));
  EXPECT_TRUE(exists(dir / "victim/keep"));
  EXPECT_TRUE(remove_tree_at(AT_FDCWD, dir / "tree"));
}
TEST(File, RemoveTreeOfManyLevels) {
  TempDir dir;
  Fd at = std::move(*open_dir(dir.path()));
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(make_dirs_at(at.get(), "d"));
    at = std::move(*open_dir_at(at.get(), "d"));
  }
  at.reset();
  EXPECT_TRUE(remove_tree_at(AT_FDCWD, dir / "d"));
}

}  // namespace
}  // namespace udk
