#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/engine/guest_tree.hpp"

// Mount points that a real directory of the guest lacks are listed by it.
namespace udk::engine::test {
namespace {

constexpr int k_added = 40;

std::vector<std::string> options_of(const GuestTree& tree, const std::string& interception) {
  std::vector<std::string> options = tree.binds();
  auto bind = [&](const std::string& name, const std::string& guest) {
    options.emplace_back("-v");
    options.push_back(tree.host(name) + ":" + guest);
  };
  bind("mount", "/etc/new-dir");
  bind("bound", "/etc/new-file");
  for (int i = 0; i < k_added; ++i) bind("mount", "/etc/added" + std::to_string(i));
  options.insert(options.end(), {"-i", interception});
  return options;
}

class Listing : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Engines, Listing, ::testing::ValuesIn(k_interceptions),
                         [](const auto& which) { return std::string(which.param); });

TEST_P(Listing, AllChecksHold) {
  const GuestTree tree;
  for (const std::string form : {"bin", "static", "musl", "i386", "i386-static"}) {
    if (form.starts_with("i386") && !runs_i386()) continue;
    const Outcome outcome = tree.run(options_of(tree, GetParam()), {"/" + form + "/listing"});
    EXPECT_EQ(outcome.out, "all checks hold\n") << form;
    EXPECT_EQ(outcome.status, 0);
  }
}

TEST_P(Listing, ShellAndToolsSeeThem) {
  const GuestTree tree;
  auto shown = [&](const char* command) {
    return tree.run(options_of(tree, GetParam()), {"/bin/sh", "-c", command}).out;
  };
  EXPECT_EQ(shown("echo /etc/new* /v*"), "/etc/new-dir /etc/new-file /virtual\n");
  EXPECT_EQ(shown("ls -d /etc/added1*; ls -a /etc | busybox grep -c added"),
            "/etc/added1\n/etc/added10\n/etc/added11\n/etc/added12\n/etc/added13\n/etc/added14\n/etc/added15\n"
            "/etc/added16\n/etc/added17\n/etc/added18\n/etc/added19\n40\n");
  EXPECT_EQ(shown("find / -xdev -name 'new-*' -type d; find /etc -name new-file -type f; find /virtual"),
            "/etc/new-dir\n/etc/new-file\n/virtual\n/virtual/deep\n/virtual/deep/mount\n");
  EXPECT_EQ(shown("ls -l /etc/new-file | busybox cut -c 1; ls -l /etc | busybox grep -c ^d"), "-\n41\n");
}

TEST(Listing, NothingOfItIsInTheTree) {
  const GuestTree tree;
  (void)tree.run(options_of(tree, "notify"), {"/bin/true"});
  EXPECT_EQ(run_as_user({"/bin/ls", tree.root() + "/etc"}).out, "bound\npasswd\n");
}

}  // namespace
}  // namespace udk::engine::test
