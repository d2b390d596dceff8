#include "container/users.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "unit/container/guest_tree.hpp"

namespace udk::container {
namespace {

using ::testing::Test;

constexpr const char* k_passwd =
    "root:x:0:0:root:/root:/bin/bash\n"
    "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
    "node:x:1000:1000::/home/node:/bin/sh\n"
    "rel:x:1001:1001::home:/bin/sh";
constexpr const char* k_group = "root:x:0:\nadm:x:4:www-data,node\nwww-data:x:33:\nnode:x:1000:\nvideo:x:44:node\n";

std::string describe(const Result<ResolvedUser>& user) {
  if (!user) return "error: " + user.error().text;
  std::string out = user->name + " " + std::to_string(user->identity.uid) + ":" + std::to_string(user->identity.gid);
  for (auto gid : user->identity.groups) out += "," + std::to_string(gid);
  return out + " " + user->home;
}

UserRequest request(std::string text, AccountSource source = AccountSource::container) {
  return {std::move(text), false, source, k_passwd, k_group};
}

TEST(Users, Resolve) {
  struct Case {
    const char *text, *want;
  };
  const Case cases[] = {
      {"", "root 0:0 /root"},
      {"root", "root 0:0 /root"},
      {"0", "root 0:0 /root"},
      {"www-data", "www-data 33:33,4 /var/www"},
      {"33", "www-data 33:33,4 /var/www"},
      {"node", "node 1000:1000,4,44 /home/node"},
      {"node:", "node 1000:1000,4,44 /home/node"},
      {"node:video", "node 1000:44 /home/node"},
      {"node:5", "node 1000:5 /home/node"},
      {"1000:adm", "node 1000:4 /home/node"},
      {"rel", "rel 1001:1001 /"},
      {"3000", "3000 3000:1235 /"},
      {"3000:3001", "3000 3000:3001 /"},
      {"3000:video", "3000 3000:44 /"},
      {"alice", "alice 1234:1235,1235,2000 /"},
      {"1234", "alice 1234:1235,1235,2000 /"},
      {"1234:1235", "alice 1234:1235 /"},
      {"4294967294:4294967294", "4294967294 4294967294:4294967294 /"},
  };
  for (const auto& c : cases) EXPECT_EQ(describe(resolve_user(request(c.text), test::test_host())), c.want) << c.text;
}

TEST(Users, RefusalsNameTheUser) {
  for (const char* text : {"a:b:c", ":", ":video", "a b", "a/b", "-1", "4294967295", "99999999999", "root:-1",
                           "root:4294967295", "a\nb", "a,b"}) {
    auto user = resolve_user(request(text), test::test_host());
    ASSERT_FALSE(user) << text;
    EXPECT_EQ(user.error().code, Code::usage) << text;
    EXPECT_TRUE(user.error().text.starts_with("invalid syntax for user " + std::string(text))) << user.error().text;
  }
  auto user = resolve_user(request("bob"), test::test_host());
  EXPECT_EQ(user.error().code, Code::not_found);
  EXPECT_TRUE(user.error().text.starts_with("user not found: bob: ")) << user.error().text;
  auto from_image = request("bob");
  from_image.from_image = true;
  EXPECT_TRUE(
      resolve_user(from_image, test::test_host()).error().text.starts_with("user not found: bob (of the image)"));
  EXPECT_TRUE(resolve_user(request("root:nope"), test::test_host()).error().text.starts_with("group not found: nope"));
}

TEST(Users, FilesAreLeftAloneWhenNothingIsMissing) {
  for (const char* text : {"", "www-data", "1000:adm"}) {
    auto user = resolve_user(request(text), test::test_host());
    ASSERT_TRUE(user);
    EXPECT_FALSE(user->passwd) << text;
    EXPECT_FALSE(user->group) << text;
  }
}

TEST(Users, MissingLinesAreAdded) {
  struct Case {
    const char *text, *passwd, *group;
  };
  const Case cases[] = {
      {"3000:3001", "3000:x:3000:1235:*UDOCKER*:/:/bin/sh\n", "G3001:x:3001:\n"},
      {"3000:video", "3000:x:3000:1235:*UDOCKER*:/:/bin/sh\n", ""},
      {"alice", "alice:x:1234:1235:*UDOCKER*:/:/bin/sh\n", "staffers:x:1235:\nG2000:x:2000:alice\n"},
      {"node:77", "", "G77:x:77:\n"},
  };
  for (const auto& c : cases) {
    auto user = resolve_user(request(c.text), test::test_host());
    ASSERT_TRUE(user) << c.text;
    std::string passwd = std::string(k_passwd) + "\n" + c.passwd;
    EXPECT_EQ(user->passwd.value_or(std::string(k_passwd) + "\n"), passwd) << c.text;
    EXPECT_EQ(user->group.value_or(k_group), std::string(k_group) + c.group) << c.text;
  }
}

TEST(Users, AnImageWithoutAccountsGetsThem) {
  auto user = resolve_user({"", false, AccountSource::container, "", ""}, test::test_host());
  ASSERT_TRUE(user);
  EXPECT_EQ(describe(user), "root 0:0 /");
  EXPECT_EQ(user->passwd.value_or(""), "root:x:0:0:*UDOCKER*:/:/bin/sh\n");
  EXPECT_EQ(user->group.value_or(""), "root:x:0:\n");
}

TEST(Users, ContainerAuthAddsNothing) {
  auto found = resolve_user(request("node", AccountSource::container_as_is), test::test_host());
  EXPECT_EQ(describe(found), "node 1000:1000,4,44 /home/node");
  EXPECT_FALSE(found->passwd);
  for (const char* text : {"3000", "alice", "bob"}) {
    auto user = resolve_user(request(text, AccountSource::container_as_is), test::test_host());
    ASSERT_FALSE(user) << text;
    EXPECT_TRUE(user.error().text.starts_with("user not found")) << user.error().text;
  }
  EXPECT_TRUE(resolve_user({"", false, AccountSource::container_as_is, "", ""}, test::test_host()));
}

TEST(Users, HostAuth) {
  const std::string passwd = "root:x:0:0:root:/root:/bin/bash\nalice:x:1234:1235:A:/home/alice:/bin/zsh\n";
  const std::string group = "root:x:0:\nstaffers:x:1235:\nplayers:x:2000:alice\n";
  auto resolve = [&](const char* text) {
    return resolve_user({text, false, AccountSource::host, passwd, group}, test::test_host());
  };
  auto alice = resolve("alice");
  EXPECT_EQ(describe(alice), "alice 1234:1235,1235,2000 /home/alice");
  EXPECT_EQ(alice->passwd.value_or(""), passwd);
  EXPECT_EQ(alice->group.value_or(""), group);
  EXPECT_EQ(describe(resolve("")), "root 0:0 /root");
  auto directory_user = resolve("ldap");
  EXPECT_EQ(describe(directory_user), "ldap 7000:7000 /home/ldap");
  EXPECT_EQ(directory_user->passwd.value_or(""), passwd + "ldap:x:7000:7000:L:/home/ldap:/bin/bash\n");
  EXPECT_EQ(directory_user->group.value_or(""), group + "ldap:x:7000:\n");
  EXPECT_TRUE(resolve("3000").error().text.starts_with("user not found: 3000: not in the host's"));
}

// A user's number must never be a group's name: chgrp(1) would take it for the name.
TEST(Users, NumbersNameNoGroups) {
  auto user = resolve_user({"3000:3001", false, AccountSource::container, "", ""}, test::test_host());
  for (const auto& entry : parse_group(user->group.value_or(""))) EXPECT_FALSE(parse_uint(entry.name)) << entry.name;
}

}  // namespace
}  // namespace udk::container
