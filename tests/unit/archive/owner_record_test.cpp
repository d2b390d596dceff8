#include "archive/owner_record.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/path.hpp"

namespace udk::archive {
namespace {

std::vector<std::string> paths_of(const OwnerRecord& record) {
  std::vector<std::string> out;
  record.for_each([&](std::string_view path, const Ownership&) { out.emplace_back(path); });
  return out;
}

TEST(OwnerRecord, holds_what_was_set) {
  OwnerRecord record;
  record.set("usr/bin/su", {0, 0, 04755});
  record.set("var/mail", {0, 8, 02775});
  record.set("", {1, 2, 0755});
  EXPECT_EQ(record.size(), 3U);
  EXPECT_EQ(record.find("usr/bin/su"), (Ownership{0, 0, 04755}));
  EXPECT_EQ(record.find(""), (Ownership{1, 2, 0755}));
  EXPECT_FALSE(record.find("usr/bin"));
  EXPECT_FALSE(record.find("usr/bin/s"));
  EXPECT_FALSE(record.find("usr/bin/su/x"));
  EXPECT_EQ(paths_of(record), (std::vector<std::string>{"", "usr/bin/su", "var/mail"}));
}

TEST(OwnerRecord, setting_twice_replaces) {
  OwnerRecord record;
  record.set("a", {1, 1, 0644});
  record.set("a", {2, 2, 0600});
  EXPECT_EQ(record.size(), 1U);
  EXPECT_EQ(record.find("a"), (Ownership{2, 2, 0600}));
}

TEST(OwnerRecord, erase_keeps_what_is_below) {
  OwnerRecord record;
  record.set("home/user", {1000, 1000, 0700});
  record.set("home/user/file", {1000, 1000, 0644});
  record.erase("home/user");
  record.erase("nothing");
  EXPECT_EQ(paths_of(record), std::vector<std::string>{"home/user/file"});
}

TEST(OwnerRecord, erase_tree_drops_what_is_below_and_nothing_beside) {
  OwnerRecord record;
  for (const char* path : {"a", "a/b", "a/b/c", "ab", "a b"}) record.set(path, {1, 1, 0644});
  record.erase_tree("a");
  EXPECT_EQ(paths_of(record), (std::vector<std::string>{"a b", "ab"}));
  record.set("a/b", {3, 3, 0600});
  EXPECT_EQ(paths_of(record), (std::vector<std::string>{"a/b", "a b", "ab"}));
  EXPECT_FALSE(record.find("a/b/c"));
  record.erase_tree("");
  EXPECT_TRUE(record.empty());
  EXPECT_TRUE(paths_of(record).empty());
}

TEST(OwnerRecord, a_path_removed_and_set_again_and_again_is_there_once) {
  OwnerRecord record;
  for (unsigned i = 0; i < 1000; ++i) {
    record.set("d/x", {i, 0, 0644});
    record.set("d/x/y", {i, 0, 0644});
    record.erase_tree("d/x");
  }
  record.set("d/x", {7, 7, 0644});
  EXPECT_EQ(record.size(), 1U);
  EXPECT_EQ(paths_of(record), std::vector<std::string>{"d/x"});
}

// Against a set of strings, under random changes.
TEST(OwnerRecord, agrees_with_a_plain_set_of_paths) {
  std::mt19937 random(7);
  OwnerRecord record;
  std::set<std::string> model;
  for (int step = 0; step < 20000; ++step) {
    std::string path;
    for (unsigned depth = random() % 4 + 1; depth > 0; --depth)
      path = path_join(path, std::string(1 + random() % 2, static_cast<char>('a' + random() % 4)));
    switch (random() % 4) {
      case 0:
        record.erase(path);
        model.erase(path);
        break;
      case 1:
        record.erase_tree(path);
        std::erase_if(model, [&](const std::string& each) { return path_has_prefix(each, path); });
        break;
      default:
        record.set(path, {1, 2, 0644});
        model.insert(path);
    }
    ASSERT_EQ(record.size(), model.size());
  }
  auto listed = paths_of(record);
  EXPECT_EQ(std::set<std::string>(listed.begin(), listed.end()), model);
  EXPECT_EQ(listed.size(), model.size());
}

}  // namespace
}  // namespace udk::archive
