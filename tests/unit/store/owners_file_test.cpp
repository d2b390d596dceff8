#include "store/owners_file.hpp"

#include <gtest/gtest.h>

namespace udk::store {
namespace {

TEST(OwnersFile, FormatAndBack) {
  archive::OwnerRecord owners;
  owners.set("", {0, 0, 0755});
  owners.set("usr/bin/su", {0, 0, 04755});
  owners.set("home/a b\n\\c\xc3\xa9", {1000, 4294967295U, 0});
  std::string text = owners_to_text(owners);
  EXPECT_EQ(text,
            "udocker-owners 1\n"
            "0 0 755 /\n"
            "1000 4294967295 0 /home/a\\x20b\\x0a\\x5cc\xc3\xa9\n"
            "0 0 4755 /usr/bin/su\n");
  auto back = owners_from_text(text);
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(back->size(), 3U);
  EXPECT_EQ(back->find("home/a b\n\\c\xc3\xa9"), (archive::Ownership{1000, 4294967295U, 0}));
  EXPECT_EQ(owners_to_text(*back), text);
}

TEST(OwnersFile, RefusesBrokenRecords) {
  const std::string head = "udocker-owners 1\n";
  for (std::string_view line :
       {"1 1 755 usr", "1 1 755 /a/../b", "1 1 755 /a//b", "1 1 10000 /a", "1 1 8 /a", "-1 1 755 /a", "1 1 755",
        "4294967296 0 755 /a", "1 1 755 /a\\x0", "1 1 755 /a\\x00b", "1 1 755 /a\\q12", "1 1 755 /./a"})
    EXPECT_EQ(owners_from_text(head + std::string(line) + "\n").error().code, Code::corrupt) << line;
  EXPECT_EQ(owners_from_text(head + "1 1 755 /" + std::string(256, 'x') + "\n").error().code, Code::corrupt);
  EXPECT_EQ(owners_from_text(head + "1 1 755 /a").error().code, Code::corrupt);
  EXPECT_EQ(owners_from_text("").error().code, Code::corrupt);
  EXPECT_EQ(owners_from_text("something\n").error().code, Code::corrupt);
  EXPECT_EQ(owners_from_text("udocker-owners 2\n").error().code, Code::unsupported);
}

}  // namespace
}  // namespace udk::store
