#include "base/accounts.hpp"

#include <gtest/gtest.h>

namespace udk {
namespace {

TEST(Accounts, PasswdSkipsMalformedLines) {
  auto entries =
      parse_passwd("root:x:0:0:root:/root:/bin/sh\nbad line\nx:x:-1:0::/:\nu:x:1000:100::/home/u:/bin/bash\n");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[1].name, "u");
  EXPECT_EQ(entries[1].gid, 100U);
}
TEST(Accounts, GroupMembers) {
  auto entries = parse_group("g:x:7:a,b\nempty:x:8:\n");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].members, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(entries[1].members.empty());
}
TEST(Accounts, HostRootExists) { EXPECT_EQ(host_user(0)->name, "root"); }

}  // namespace
}  // namespace udk
