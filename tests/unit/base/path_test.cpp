#include "base/path.hpp"

#include <gtest/gtest.h>

namespace udk {
namespace {

TEST(Path, Normalize) {
  EXPECT_EQ(path_normalize("/a//b/./c/"), "/a/b/c");
  EXPECT_EQ(path_normalize("/a/../../b"), "/b");
  EXPECT_EQ(path_normalize("/.."), "/");
}
TEST(Path, PrefixIsComponentWise) {
  EXPECT_TRUE(path_has_prefix("/data/x", "/data"));
  EXPECT_TRUE(path_has_prefix("/data", "/data/"));
  EXPECT_FALSE(path_has_prefix("/database", "/data"));
  EXPECT_TRUE(path_has_prefix("/x", "/"));
}
TEST(Path, Names) {
  EXPECT_EQ(path_basename("/a/b/"), "b");
  EXPECT_EQ(path_basename("/"), "/");
  EXPECT_EQ(path_dirname("/a/b"), "/a");
  EXPECT_EQ(path_dirname("/a"), "/");
  EXPECT_EQ(path_dirname("a"), ".");
  EXPECT_EQ(path_join("/a/", "/b"), "/a/b");
}

}  // namespace
}  // namespace udk
