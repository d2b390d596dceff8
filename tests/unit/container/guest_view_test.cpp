#include "container/guest_view.hpp"

#include <gtest/gtest.h>

#include "unit/container/guest_tree.hpp"

namespace udk::container {
namespace {

using test::Tree;

class GuestViewTest : public ::testing::Test {
 protected:
  GuestViewTest() : view(root.path()) {
    root.file("usr/bin/busybox", "x").link("usr/bin", "bin").link("busybox", "usr/bin/sh");
    root.link("/usr/bin/busybox", "abs")
        .link("/etc/passwd", "esc")
        .link("../../../../etc", "up")
        .link("loop2", "loop1");
    root.link("loop1", "loop2").link("/run", "var/run").dir("run").link("/nowhere/x", "dangling").link("/", "top");
    host.file("data/f", "host file").link("/usr/bin", "data/guestlink");
    view.add({host / "data", "/mnt/deep/data", Access::read_write});
    view.add({host / "data/f", "/usr/bin/f", Access::read_only});
  }
  std::string where(const std::string& path) {
    auto place = view.locate(path);
    if (!place) return "error " + std::to_string(place.error().sys_errno);
    return place->guest + (place->status ? "" : " missing");
  }
  Tree root, host;
  GuestView view;
};

TEST_F(GuestViewTest, Locates) {
  struct Case {
    const char *path, *want;
  };
  const Case cases[] = {
      {"/", "/"},
      {"/bin/sh", "/usr/bin/busybox"},
      {"//bin/./sh", "/usr/bin/busybox"},
      {"/bin/../bin/sh", "/usr/bin/busybox"},
      {"/bin/../../bin/sh", "/usr/bin/busybox"},  // ".." counts from where the link leads to: /usr/bin
      {"/abs", "/usr/bin/busybox"},
      {"/esc", "/etc/passwd missing"},
      {"/up/passwd", "/etc/passwd missing"},
      {"/../../usr", "/usr"},
      {"/loop1", "error 40"},
      {"/var/run/lock/x", "/run/lock/x missing"},
      {"/dangling", "/nowhere/x missing"},
      {"/top", "/"},
      {"/top/usr", "/usr"},
      {"/usr/bin/sh/x", "error 20"},
      {"/usr/bin/sh/", "error 20"},
      {"/mnt", "/mnt"},  // exists by the mount point below it alone
      {"/mnt/deep", "/mnt/deep"},
      {"/mnt/deep/other", "/mnt/deep/other missing"},
      {"/mnt/deep/data/f", "/mnt/deep/data/f"},
      {"/mnt/deep/data/../../../bin", "/usr/bin"},
      {"/mnt/deep/data/guestlink/sh", "/usr/bin/busybox"},  // a volume's absolute link leads to the guest's path
      {"/bin/f", "/usr/bin/f"},
      {"/nowhere/../bin/sh", "/bin/sh missing"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(where(c.path), c.want) << c.path;
  }
}

TEST_F(GuestViewTest, HostPathsFollowTheLongestBind) {
  EXPECT_EQ(view.locate("/bin/f")->host, host / "data/f");
  EXPECT_EQ(view.locate("/bin/sh")->host, root / "usr/bin/busybox");
  EXPECT_EQ(view.locate("/mnt/deep/data/f")->host, host / "data/f");
  EXPECT_EQ(view.locate("/mnt/deep/database")->host, root / "mnt/deep/database");
}

TEST_F(GuestViewTest, ReadsRegularFilesOnly) {
  EXPECT_EQ(view.read("/bin/f", 100).value_or("?"), "host file");
  EXPECT_EQ(view.read("/esc", 100).value_or("?"), "");
  EXPECT_EQ(view.read("/usr", 100).value_or("?"), "");
  EXPECT_EQ(view.read("/usr/bin/sh/x", 100).value_or("?"), "");
  ASSERT_EQ(::mkfifo((root / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(view.read("/fifo", 100).value_or("?"), "");
  EXPECT_FALSE(view.read("/bin/f", 3));
}

TEST_F(GuestViewTest, MakesDirectoriesInRootOnly) {
  EXPECT_TRUE(view.make_dirs("/var/run/a/b"));
  EXPECT_TRUE(is_dir(root / "run/a/b"));
  EXPECT_TRUE(view.make_dirs("/dangling/y"));
  EXPECT_TRUE(is_dir(root / "nowhere/x/y"));
  EXPECT_TRUE(view.make_dirs("/mnt/deep/data"));
  EXPECT_TRUE(view.make_dirs("/mnt/deep/new"));
  EXPECT_TRUE(is_dir(root / "mnt/deep/new"));
  EXPECT_EQ(view.make_dirs("/mnt/deep/data/new").error().code, Code::denied);
  EXPECT_FALSE(exists(host / "data/new"));
  EXPECT_EQ(view.make_dirs("/usr/bin/sh").error().sys_errno, ENOTDIR);
}

TEST_F(GuestViewTest, ALaterBindReplacesAnEarlierOneAtTheSamePlace) {
  host.dir("other");
  view.add({host / "other", "/mnt/deep/data", Access::read_write});
  EXPECT_EQ(where("/mnt/deep/data/f"), "/mnt/deep/data/f missing");
  EXPECT_EQ(view.binds().size(), 2U);
}

}  // namespace
}  // namespace udk::container
