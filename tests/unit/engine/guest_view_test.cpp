#include "engine/ptrace/guest_view.hpp"

#include <gtest/gtest.h>

#include <string>

#include "unit/temp_dir.hpp"

namespace udk::engine {
namespace {

class View : public ::testing::Test {
 protected:
  View() {
    for (const char* d : {"root/etc", "root/run", "root/usr", "host/dir"}) EXPECT_TRUE(make_dirs(dir_ / d));
    EXPECT_TRUE(write_file_atomic(dir_ / "host/file", "x"));
    EXPECT_TRUE(write_file_atomic(dir_ / "root/etc/file", "x"));
    EXPECT_TRUE(symlink_at("/run", AT_FDCWD, dir_ / "root/var-run"));
    EXPECT_TRUE(symlink_at("../run/systemd/resolv.conf", AT_FDCWD, dir_ / "root/etc/resolv.conf"));
    EXPECT_TRUE(symlink_at("dir", AT_FDCWD, dir_ / "host/link"));
    spec_.root = dir_ / "root";
    root_ = *real_path(spec_.root);
    host_ = *real_path(dir_ / "host");
  }
  void bind(const std::string& host, const std::string& guest, container::Access access = {}) {
    spec_.binds.push_back({dir_ / ("host/" + host), guest, access});
  }
  // The host path of a guest path by the table alone.
  static std::string host_of(const GuestView& view, std::string_view guest) {
    xlate::HostPath host;
    std::size_t mount = 0;
    EXPECT_TRUE(view.table().to_host(guest, host, mount));
    return std::string(host.view());
  }

  udk::test::TempDir dir_;
  container::RunSpec spec_;
  std::string root_, host_;
};

TEST_F(View, BindsAreCanonical) {
  bind("link", "/var-run/x/");
  const auto view = GuestView::create(spec_);
  ASSERT_TRUE(view) << view.error().text;
  EXPECT_EQ(host_of(*view, "/run/x"), host_ + "/dir") << "links on both sides are resolved";
  EXPECT_EQ(host_of(*view, "/etc"), root_ + "/etc");
}

TEST_F(View, MissingParentsBecomeGlue) {
  bind("file", "/a/b/c");
  bind("dir", "/a/d");
  bind("file", "/etc/resolv.conf");
  std::string glue;
  {
    const auto view = GuestView::create(spec_);
    ASSERT_TRUE(view) << view.error().text;
    glue = host_of(*view, "/a");
    EXPECT_TRUE(is_dir(glue));
    EXPECT_TRUE(is_dir(host_of(*view, "/a/b")));
    EXPECT_TRUE(exists(glue + "/b/c") && is_dir(glue + "/d")) << "the names are listed";
    EXPECT_EQ(host_of(*view, "/a/b/c"), host_ + "/file");
    EXPECT_EQ(host_of(*view, "/run/systemd/resolv.conf"), host_ + "/file")
        << "a dangling link in the image is followed";
    EXPECT_FALSE(exists(root_ + "/a") || exists(root_ + "/run/systemd")) << "nothing is made in the image";
  }
  EXPECT_FALSE(exists(glue)) << "the run takes its glue away";
}

TEST_F(View, InnerMountsComeAfterOuterOnes) {
  EXPECT_TRUE(make_dirs(dir_ / "host/dir/sub"));
  bind("file", "/usr/sub/f");
  bind("dir", "/usr");
  const auto view = GuestView::create(spec_);
  ASSERT_TRUE(view);
  EXPECT_EQ(host_of(*view, "/usr/sub"), host_ + "/dir/sub");
  EXPECT_EQ(host_of(*view, "/usr/sub/f"), host_ + "/file");
}

TEST_F(View, LaterBindsHideEarlierOnes) {
  bind("dir", "/usr");
  bind("file", "/usr", container::Access::read_only);
  const auto view = GuestView::create(spec_);
  ASSERT_TRUE(view);
  EXPECT_EQ(host_of(*view, "/usr"), host_ + "/file");
  EXPECT_EQ(view->table().size(), 2U);
  EXPECT_TRUE(view->any_read_only());
}

TEST_F(View, Errors) {
  bind("none", "/x");
  const auto missing = GuestView::create(spec_);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().text.find("/host/none:/x"), std::string::npos);
  spec_.binds.clear();
  bind("dir", "/etc/file/x");
  const auto through = GuestView::create(spec_);
  ASSERT_FALSE(through);
  EXPECT_EQ(through.error().sys_errno, ENOTDIR);
}

}  // namespace
}  // namespace udk::engine
