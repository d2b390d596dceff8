#include "engine/ptrace/owner_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace udk::engine {
namespace {

using container::FileOwner;
using container::OwnerBook;

// A book in memory, which can refuse to be written.
class MemoryBook : public OwnerBook {
 public:
  Result<> read(const std::function<void(std::string_view, const FileOwner&)>& each) override {
    for (const auto& [path, owner] : content) each(path, owner);
    return {};
  }
  Result<> write(const Changes& changes) override {
    if (refuses) return fail(Code::internal, "refused");
    for (const auto& [path, owner] : changes) {
      if (owner)
        content[path] = *owner;
      else
        content.erase(path);
    }
    return {};
  }
  std::map<std::string, FileOwner> content;
  bool refuses = false;
};

struct stat file(ino_t number) {
  struct stat st {};
  st.st_dev = 1;
  st.st_ino = number;
  st.st_nlink = 1;
  return st;
}

// The same after its last name is gone.
struct stat unnamed(ino_t number) {
  struct stat st = file(number);
  st.st_nlink = 0;
  return st;
}

Belief of(std::uint32_t uid) { return {{uid, uid, 0644}, 0, 0}; }

class Owners : public ::testing::Test {
 protected:
  void load() { ASSERT_TRUE(table.load(book)); }
  std::map<std::string, FileOwner>& saved() {
    EXPECT_TRUE(table.save());
    return book.content;
  }
  MemoryBook book;
  OwnerTable table;
};

TEST_F(Owners, WhatWasRecordedIsFoundByPathAndThenByInode) {
  book.content["etc/shadow"] = {0, 42, 0640};
  load();
  EXPECT_EQ(table.find(file(7), std::nullopt), nullptr);
  ASSERT_NE(table.find(file(7), "/etc/shadow"), nullptr);
  EXPECT_EQ(table.find(file(7), "/etc/shadow")->owner.gid, 42U);
  EXPECT_NE(table.find(file(7), std::nullopt), nullptr);
  EXPECT_EQ(table.find(file(8), "/etc/passwd"), nullptr);
  EXPECT_FALSE(table.changed());
}

TEST_F(Owners, TheRootItself) {
  book.content[""] = {5, 5, 0755};
  load();
  EXPECT_NE(table.find(file(2), ""), nullptr);
}

TEST_F(Owners, AFileThatCameToTheNameFromOutsideIsAnother) {
  book.content["a"] = {5, 5, 0644};
  load();
  EXPECT_NE(table.find(file(7), "/a"), nullptr);
  EXPECT_EQ(table.find(file(8), "/a"), nullptr);
  EXPECT_TRUE(saved().empty());
}

TEST_F(Owners, SetForgetAndSave) {
  load();
  table.set(file(7), "/a", true, of(5));
  table.set(file(8), "/tmp/b", false, of(6));  // not in the container's own tree
  EXPECT_EQ(saved().size(), 1U);
  EXPECT_EQ(book.content["a"].uid, 5U);
  table.forget(file(7), "/a");
  EXPECT_EQ(table.find(file(7), "/a"), nullptr);
  table.expect("/c", true, of(7));
  table.forget(file(9), "/c");  // not seen before
  EXPECT_EQ(table.find(file(9), "/c"), nullptr);
  EXPECT_NE(table.find(file(8), std::nullopt), nullptr);
  EXPECT_TRUE(saved().empty());
}

TEST_F(Owners, RenamesTakeWholeTreesAlong) {
  load();
  table.set(file(1), "/d", true, of(1));
  table.set(file(2), "/d/x", true, of(2));
  table.set(file(3), "/d/y/z", true, of(3));
  table.set(file(4), "/d0", true, of(4));
  table.renamed("/d", "/e/f", true);
  EXPECT_EQ(table.find_path("/d/x"), nullptr);
  ASSERT_NE(table.find_path("/e/f/y/z"), nullptr);
  auto& content = saved();
  EXPECT_EQ(content.size(), 4U);
  EXPECT_EQ(content["e/f"].uid, 1U);
  EXPECT_EQ(content["e/f/x"].uid, 2U);
  EXPECT_EQ(content["e/f/y/z"].uid, 3U);
  EXPECT_EQ(content["d0"].uid, 4U);
}

TEST_F(Owners, ARenameReplacesWhatWasThere) {
  load();
  table.set(file(1), "/a", true, of(1));
  table.set(file(2), "/b", true, of(2));
  table.removed(file(2), "/b", true);
  table.renamed("/a", "/b", true);
  EXPECT_EQ(saved().size(), 1U);
  EXPECT_EQ(book.content["b"].uid, 1U);
  EXPECT_EQ(table.find(file(2), std::nullopt), nullptr);
}

TEST_F(Owners, ExchangedNames) {
  load();
  table.set(file(1), "/a", true, of(1));
  table.set(file(2), "/b", true, of(2));
  table.set(file(3), "/b/c", true, of(3));
  table.exchanged("/a", "/b", true);
  auto& content = saved();
  EXPECT_EQ(content["b"].uid, 1U);
  EXPECT_EQ(content["a"].uid, 2U);
  EXPECT_EQ(content["a/c"].uid, 3U);
  EXPECT_EQ(content.size(), 3U);
}

TEST_F(Owners, HardLinksShareTheBelief) {
  load();
  table.set(file(1), "/a", true, of(1));
  table.linked(file(1), "/b", true);
  table.set(file(1), "/a", true, of(9));
  EXPECT_EQ(saved()["b"].uid, 9U);
  table.removed(file(1), "/a", false);
  EXPECT_EQ(table.find(file(1), std::nullopt)->owner.uid, 9U);
  EXPECT_EQ(saved().size(), 1U);
}

TEST_F(Owners, NamesThatWereRecordedOfOneFile) {
  book.content["a"] = book.content["b"] = {5, 5, 0644};
  book.content["c"] = {6, 6, 0600};  // somebody has linked it from outside
  load();
  EXPECT_NE(table.find(file(7), "/a"), nullptr);
  EXPECT_NE(table.find(file(7), "/b"), nullptr);
  EXPECT_FALSE(table.changed());
  EXPECT_EQ(table.find(file(7), "/c")->owner.uid, 5U);
  EXPECT_EQ(saved()["c"].uid, 5U);
  table.forget(file(7), "/b");
  EXPECT_TRUE(saved().empty());
}

TEST_F(Owners, AnExpectedFileIsKnownWhenItIsSeen) {
  load();
  table.expect("/new", true, of(5));
  ASSERT_NE(table.find(file(7), "/new"), nullptr);
  EXPECT_EQ(saved()["new"].uid, 5U);
  table.removed(file(7), "/new", true);
  table.expect("/new", true, std::nullopt);
  EXPECT_EQ(table.find(file(9), "/new"), nullptr);
}

TEST_F(Owners, ARefusedSaveIsRepeated) {
  load();
  table.set(file(1), "/a", true, of(1));
  book.refuses = true;
  EXPECT_FALSE(table.save());
  EXPECT_TRUE(table.changed());
  table.set(file(1), "/a", true, of(2));
  book.refuses = false;
  EXPECT_EQ(saved()["a"].uid, 2U);
}

// An open file is believed in after its last name, a new file of the same number is not.
TEST(OwnerTable, FilesThatAreOpen) {
  OwnerTable table;
  const Belief belief{{5, 6, 0640}, 0, 0};
  table.set(file(1), "/a", true, belief);
  table.removed(file(1), "/a", true);
  ASSERT_NE(table.find(unnamed(1), std::nullopt), nullptr);
  EXPECT_EQ(*table.find(unnamed(1), std::nullopt), belief);
  EXPECT_EQ(table.find(file(1), "/b"), nullptr);
  table.set(unnamed(2), std::nullopt, false, belief);
  table.linked(unnamed(2), "/c", true);
  EXPECT_NE(table.find(file(2), "/c"), nullptr) << "O_TMPFILE and a link";
}

// A file is known after its last name even if it was never looked at before; and the one before it that had its number
// is not taken for it, though it has no name either.
TEST(OwnerTable, FilesThatAreOpenAndWereNeverSeen) {
  OwnerTable table;
  const Belief first{{5, 6, 0640}, 0, 0};
  table.expect("/a", true, first);
  table.removed(file(1), "/a", true);
  ASSERT_NE(table.find(unnamed(1), std::nullopt), nullptr);
  EXPECT_EQ(*table.find(unnamed(1), std::nullopt), first);
  table.expect("/b", true, std::nullopt);  // nothing is believed of the new one
  table.removed(file(1), "/b", true);
  EXPECT_EQ(table.find(unnamed(1), std::nullopt), nullptr);
}

// What was to be made at a name and was not says nothing of what comes there in another way.
TEST(OwnerTable, NamesThatWereNotMade) {
  OwnerTable table;
  table.expect("/a", true, Belief{{0, 0, 0}, 0, 0});
  table.linked(file(1), "/a", true);
  EXPECT_EQ(table.find(file(1), "/a"), nullptr);
}

}  // namespace
}  // namespace udk::engine
