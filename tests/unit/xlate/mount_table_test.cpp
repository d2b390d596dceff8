#include "xlate/mount_table.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace udk::xlate {
namespace {

std::string to_guest(const std::vector<Mount>& mounts, std::string_view host) {
  const MountTable table(mounts.data(), mounts.size());
  GuestPath guest;
  if (!table.to_guest(host, guest)) return "none";
  return guest.empty() ? "/" : std::string(guest.view());
}

std::string to_host(const std::vector<Mount>& mounts, std::string_view guest) {
  const MountTable table(mounts.data(), mounts.size());
  HostPath host;
  std::size_t mount = 0;
  if (!table.to_host(guest, host, mount)) return "none";
  return host.empty() ? "/" : std::string(host.view());
}

TEST(MountTable, BothDirections) {
  const std::vector<Mount> mounts = {{"", "/r", MountKind::root, false},
                                     {"/data", "/h/data", MountKind::bind, false},
                                     {"/data/in", "/h/other", MountKind::bind, false},
                                     {"/host", "", MountKind::bind, false}};
  EXPECT_EQ(to_host(mounts, ""), "/r");
  EXPECT_EQ(to_host(mounts, "/etc"), "/r/etc");
  EXPECT_EQ(to_host(mounts, "/data/x"), "/h/data/x");
  EXPECT_EQ(to_host(mounts, "/database"), "/r/database");
  EXPECT_EQ(to_host(mounts, "/data/in/x"), "/h/other/x");
  EXPECT_EQ(to_host(mounts, "/host"), "/");
  EXPECT_EQ(to_host(mounts, "/host/x"), "/x");
  EXPECT_EQ(to_guest(mounts, "/r"), "/");
  EXPECT_EQ(to_guest(mounts, "/r/etc"), "/etc");
  EXPECT_EQ(to_guest(mounts, "/rest"), "/host/rest");
  EXPECT_EQ(to_guest(mounts, "/h/data/x"), "/data/x");
  EXPECT_EQ(to_guest(mounts, "/"), "/host");
}

TEST(MountTable, HiddenFilesHaveNoName) {
  const std::vector<Mount> mounts = {{"", "/r", MountKind::root, false}, {"/data", "/h", MountKind::bind, false}};
  EXPECT_EQ(to_guest(mounts, "/r/data/x"), "none") << "the bind lies over it";
  EXPECT_EQ(to_guest(mounts, "/r/datax"), "/datax");
  EXPECT_EQ(to_guest(mounts, "/etc"), "none");
  const std::vector<Mount> twice = {{"", "", MountKind::root, false}, {"/a", "/srv", MountKind::bind, false}};
  EXPECT_EQ(to_guest(twice, "/srv/x"), "/a/x");
  EXPECT_EQ(to_guest(twice, "/a/x"), "none");
}

TEST(MountTable, BelowAndAt) {
  const std::vector<Mount> mounts = {{"", "/r", MountKind::root, false}, {"/a/b/c", "/h", MountKind::bind, false}};
  const MountTable table(mounts.data(), mounts.size());
  EXPECT_TRUE(table.has_below("/a"));
  EXPECT_TRUE(table.has_below("/a/b"));
  EXPECT_FALSE(table.has_below("/a/b/c"));
  EXPECT_FALSE(table.has_below("/a/bb"));
  EXPECT_EQ(table.at("/a/b/c"), 1);
  EXPECT_EQ(table.at("/a/b"), -1);
  EXPECT_EQ(table.at(""), 0);
}

}  // namespace
}  // namespace udk::xlate
