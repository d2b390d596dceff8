#include "container/workdir.hpp"

#include <gtest/gtest.h>

#include "unit/container/guest_tree.hpp"

namespace udk::container {
namespace {

class WorkdirTest : public ::testing::Test {
 protected:
  WorkdirTest() : view(root.path()) {
    root.dir("root").dir("srv/app").link("/srv", "link").file("file");
    view.add({volume.path(), "/vol", Access::read_write});
  }
  std::string choose(const std::string& home = "/root") {
    auto dir = choose_workdir(view, options, metadata, home);
    return dir ? *dir : "error: " + dir.error().text;
  }
  test::Tree root, volume;
  GuestView view;
  RunOptions options;
  Metadata metadata;
};

TEST_F(WorkdirTest, Order) {
  EXPECT_EQ(choose(), "/root");
  EXPECT_EQ(choose("/home/nobody"), "/");
  EXPECT_EQ(choose("/file"), "/");
  metadata.working_dir = "srv";
  EXPECT_EQ(choose(), "/srv");
  options.workdir = "/link/app/";
  EXPECT_EQ(choose(), "/srv/app");
}

TEST_F(WorkdirTest, MissingDirectoriesAreMadeInRoot) {
  metadata.working_dir = "/made/by/image";
  EXPECT_EQ(choose(), "/made/by/image");
  EXPECT_TRUE(is_dir(root / "made/by/image"));
  options.workdir = "/link/new";
  EXPECT_EQ(choose(), "/srv/new");
  EXPECT_TRUE(is_dir(root / "srv/new"));
  EXPECT_FALSE(exists(root / "home"));
}

TEST_F(WorkdirTest, NothingIsMadeOfAPathThatIsTooLong) {
  options.workdir = "/one/two/" + std::string(256, 'n');
  EXPECT_TRUE(choose().starts_with("error: invalid working directory: ")) << choose();
  EXPECT_TRUE(choose().ends_with(": File name too long (choose another --workdir)")) << choose();
  options.workdir.clear();
  while (options.workdir.size() < 4096) options.workdir += "/name";
  EXPECT_TRUE(choose().ends_with(": File name too long (choose another --workdir)")) << choose();
  EXPECT_FALSE(exists(root / "one"));
  EXPECT_FALSE(exists(root / "name"));
}

TEST_F(WorkdirTest, Refusals) {
  options.workdir = "rel";
  EXPECT_TRUE(choose().starts_with("error: invalid working directory: rel: an absolute")) << choose();
  options.workdir = "/file";
  EXPECT_TRUE(choose().starts_with("error: invalid working directory: /file: Not a directory")) << choose();
  options.workdir = "/vol/new";
  EXPECT_TRUE(choose().starts_with("error: invalid working directory: /vol/new: does not exist in the volume"))
      << choose();
}

}  // namespace
}  // namespace udk::container
