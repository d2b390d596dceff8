// Archives that try to read or change what lies outside the tree. Whether they are refused or defused: nothing outside
// is touched.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "archive/apply.hpp"
#include "base/file.hpp"
#include "unit/archive/apply_fixture.hpp"
#include "unit/archive/tar_builder.hpp"

namespace udk::archive {
namespace {

using test::ApplyFixture;
using test::Member;
using test::TarBuilder;

// The state of what lies outside, times and link counts too.
std::string snapshot(const std::string& outside) {
  std::string out;
  std::vector<std::string> paths{outside};
  for (const auto& [name, text] : test::list_tree(outside)) {
    out += name + " " + text + "\n";
    paths.push_back(outside + "/" + name);
  }
  for (const std::string& path : paths) {
    struct stat st {};
    EXPECT_EQ(::lstat(path.c_str(), &st), 0);
    out += std::to_string(st.st_mtim.tv_sec) + "." + std::to_string(st.st_mtim.tv_nsec) + " " +
           std::to_string(st.st_ctim.tv_sec) + "." + std::to_string(st.st_ctim.tv_nsec) + " " +
           std::to_string(st.st_nlink) + "\n";
  }
  return out;
}

// Ways to point out of the tree, OUT being the directory outside.
std::vector<std::string> targets(const std::string& outside) {
  return {outside,
          "../outside",
          "./../outside/.",
          "../../../../../../../../../../../.." + outside,
          "x/../../outside",
          "/..//../" + outside,
          "/proc/self/cwd",
          "/proc/self/root" + outside,
          "/proc/thread-self/fd/3",
          "..",
          "../..",
          "/"};
}

// Members that use the symlink "l" to reach through it.
std::vector<std::pair<std::string, std::vector<Member>>> attacks() {
  return {
      {"write a file through it", {{.path = "l/witness", .content = "pwned"}}},
      {"make a new file through it", {{.path = "l/new", .content = "pwned"}}},
      {"make a directory through it", {{.path = "l/dir", .type = '5', .mode = 0777}, {.path = "l/dir/f"}}},
      {"make a symlink through it", {{.path = "l/sym", .type = '2', .link = "witness"}}},
      {"make a FIFO through it", {{.path = "l/fifo", .type = '6'}}},
      {"remove through it", {{.path = "l/.wh.witness"}}},
      {"remove all through it", {{.path = "l/.wh..wh..opq"}}},
      {"remove the directory itself", {{.path = ".wh.l"}}},
      {"link to a file through it",
       {{.path = "h", .type = '1', .link = "l/witness"}, {.path = "h", .content = "pwned"}}},
      {"link through it", {{.path = "own"}, {.path = "l/h", .type = '1', .link = "own"}}},
      {"link to the symlink, write through the link",
       {{.path = "h", .type = '1', .link = "l"}, {.path = "h/witness", .content = "pwned"}}},
      {"change the mode of what it points to", {{.path = "l", .type = '5', .mode = 0777, .mtime = 1}}},
      {"replace it by a directory, then write",
       {{.path = "l", .type = '5', .mode = 0755}, {.path = "l/witness", .content = "x"}}},
      {"overwrite it", {{.path = "l", .content = "pwned"}}},
      {"go through it and up again",
       {{.path = "m", .type = '2', .link = "l/.."}, {.path = "m/outside/witness", .content = "pwned"}}},
      {"chain",
       {{.path = "m", .type = '2', .link = "l"},
        {.path = "n", .type = '2', .link = "./m/"},
        {.path = "n/witness", .content = "pwned"}}},
      {"hide it behind a directory that is replaced",
       {{.path = "d/e", .type = '5', .mode = 0755},
        {.path = "d", .type = '2', .link = "l"},
        {.path = "d/witness", .content = "pwned"}}},
      {"write through it with another type of file", {{.path = "l/witness", .type = '7', .content = "pwned"}}},
  };
}

// One application with the link in the same layer, one with the link in a lower layer.
class Escape : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(targets, Escape, testing::Range(std::size_t{0}, std::size_t{12}));

TEST_P(Escape, is_not_possible_through_a_symlink) {
  for (const auto& [what, members] : attacks()) {
    for (bool same_layer : {true, false}) {
      ApplyFixture tree;
      const std::string before = snapshot(tree.outside());
      TarBuilder lower;
      lower.dir("x").symlink("l", targets(tree.outside())[GetParam()]);
      TarBuilder upper;
      for (const Member& member : members) (same_layer ? lower : upper).add(member);
      auto done = tree.apply({lower.finish(), upper.finish()});
      if (!done) {
        EXPECT_EQ(done.error().code, Code::corrupt) << what << ": " << done.error().text;
      }
      EXPECT_EQ(snapshot(tree.outside()), before) << what;
    }
  }
}

TEST(Escapes, is_not_possible_by_names) {
  for (const char* name : {"../outside/witness", "..", "../", "./..", "x/../../outside/witness", "/../outside/witness",
                           "x/..", "....//../outside/witness", "../outside/.wh.witness", "../outside/.wh..wh..opq",
                           "x/../../.wh.outside", "dev/../../outside/witness", ".wh../witness"}) {
    for (char type : {'0', '1', '2', '5', '6'}) {
      ApplyFixture tree;
      const std::string before = snapshot(tree.outside());
      auto lower = TarBuilder().dir("x").file("own").finish();
      auto done = tree.apply({lower, TarBuilder().add({.path = name, .type = type, .link = "own"}).finish()});
      EXPECT_FALSE(done && std::string_view(name) != ".wh../witness") << name;
      EXPECT_EQ(snapshot(tree.outside()), before) << name;
    }
  }
}

TEST(Escapes, absolute_names_mean_the_tree) {
  ApplyFixture tree;
  const std::string witness = "/var/tmp/udocker-unit-absolute-name";
  ASSERT_TRUE(tree.apply({TarBuilder().file(witness, "inside").finish()}));
  EXPECT_FALSE(exists(witness));
  EXPECT_EQ(read_file(tree.root() + witness), "inside");
  // A hard link to an absolute name is one inside as well.
  ASSERT_TRUE(tree.apply({TarBuilder().hardlink("h", witness).finish()}));
  EXPECT_EQ(read_file(tree.path("h")), "inside");
}

TEST(Escapes, a_hard_link_does_not_reach_outside) {
  for (const char* target : {"../outside/witness", "/../outside/witness", "x/../../outside/witness"}) {
    ApplyFixture tree;
    EXPECT_FALSE(tree.apply({TarBuilder().dir("x").hardlink("h", target).file("h", "pwned").finish()})) << target;
    EXPECT_EQ(read_file(tree.outside() + "/witness"), "untouched");
  }
}

TEST(Escapes, symlinks_are_stored_as_they_are) {
  ApplyFixture tree;
  for (const std::string& target : targets(tree.outside())) {
    ASSERT_TRUE(tree.apply({TarBuilder().symlink("l", target).finish()}));
    EXPECT_EQ(tree.list()["l"], "l -> " + target);
  }
}

}  // namespace
}  // namespace udk::archive
