#include "store/keystore.hpp"

#include <sys/stat.h>

#include <gtest/gtest.h>
#include "unit/temp_dir.hpp"

namespace udk::store {
namespace {

using udk::test::TempDir;

TEST(KeystoreFile, WritesAsThePythonTool) {
  TempDir dir;
  Keystore keys(dir / "sub/keystore");
  ASSERT_TRUE(keys.put("http://127.0.0.1:5443", {"tester", Secret("secret")}));
  EXPECT_EQ(*read_file(dir / "sub/keystore"),
            R"({"http://127.0.0.1:5443": {"auth": "dGVzdGVyOnNlY3JldA==", "email": ""}})");
  struct stat st {};
  ASSERT_EQ(::stat((dir / "sub/keystore").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777U, 0600U);
  EXPECT_EQ(list_dir(dir / "sub")->size(), 1U);
}

TEST(KeystoreFile, LooksUpWithAndWithoutScheme) {
  TempDir dir;
  ASSERT_TRUE(write_file_atomic(dir / "k", R"({"quay.io": {"auth": "YTpiOmM=", "email": ""}})", 0600));
  Keystore keys(dir / "k");
  auto found = keys.lookup("https://quay.io");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->user, "a");
  EXPECT_EQ((*found)->password.reveal(), "b:c");
  EXPECT_FALSE(*keys.lookup("https://quay.io.example"));
}

TEST(KeystoreFile, RemoveAndClear) {
  TempDir dir;
  Keystore keys(dir / "k");
  EXPECT_FALSE(*keys.lookup("https://a"));
  EXPECT_EQ(keys.remove("https://a").error().code, Code::not_found);
  ASSERT_TRUE(keys.put("https://a", {"u", Secret("p")}));
  ASSERT_TRUE(keys.put("https://b", {"v", Secret("q")}));
  ASSERT_TRUE(keys.remove("https://a"));
  EXPECT_EQ(keys.remove("https://a").error().code, Code::not_found);
  ASSERT_TRUE(keys.remove("https://b"));
  EXPECT_EQ(*read_file(dir / "k"), "{}");
  ASSERT_TRUE(keys.clear());
  EXPECT_TRUE(keys.clear());
  EXPECT_TRUE(list_dir(dir.path())->empty());
}

TEST(KeystoreFile, RefusesAnUnsafePlace) {
  TempDir dir;
  Keystore keys(dir / "k");
  ASSERT_TRUE(keys.put("https://a", {"u", Secret("p")}));
  ASSERT_EQ(::chmod((dir / "k").c_str(), 0640), 0);
  EXPECT_EQ(keys.put("https://b", {"v", Secret("q")}).error().code, Code::denied);
  EXPECT_EQ(keys.remove("https://a").error().code, Code::denied);
  EXPECT_EQ(keys.clear().error().code, Code::denied);
  EXPECT_TRUE(*keys.lookup("https://a"));  // reading does no checks
  EXPECT_EQ(keys.put("https://b", {"", Secret("q")}).error().code, Code::usage);
}

TEST(KeystoreFile, BrokenContent) {
  TempDir dir;
  Keystore keys(dir / "k");
  ASSERT_TRUE(write_file_atomic(dir / "k", "[1]", 0600));
  EXPECT_EQ(keys.lookup("https://a").error().code, Code::corrupt);
  EXPECT_EQ(keys.put("https://a", {"u", Secret("p")}).error().code, Code::corrupt);
  ASSERT_TRUE(write_file_atomic(dir / "k", R"({"https://a": {"auth": "!!"}})", 0600));
  EXPECT_EQ(keys.lookup("https://a").error().code, Code::corrupt);
}

}  // namespace
}  // namespace udk::store
