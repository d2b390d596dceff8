#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/engine/guest_tree.hpp"

// The guest programs check themselves: each must find a system that behaves as Linux does, in every form that programs
// have and with every kind of interception.
namespace udk::engine::test {
namespace {

struct Case {
  std::string form;
  std::string program;
  bool filtered;
};

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const char* form : {"bin", "static", "static-pie", "musl"})
    for (const char* program : {"files", "identity", "processes", "programs", "sockets"})
      for (const bool filtered : {true, false}) out.push_back({form, program, filtered});
  return out;
}

class Guest : public ::testing::TestWithParam<Case> {};

TEST_P(Guest, AllChecksHold) {
  const GuestTree tree;
  std::vector<std::string> options = tree.binds();
  if (!GetParam().filtered) options.emplace_back("-p");
  const Outcome outcome = tree.run(options, {"/" + GetParam().form + "/" + GetParam().program});
  EXPECT_EQ(outcome.out, "all checks hold\n");
  EXPECT_EQ(outcome.status, 0);
}

INSTANTIATE_TEST_SUITE_P(Forms, Guest, ::testing::ValuesIn(cases()), [](const auto& which) {
  std::string form = which.param.form == "static-pie" ? "static_pie" : which.param.form;
  return form + "_" + which.param.program + (which.param.filtered ? "" : "_unfiltered");
});

TEST(GoGuest, Runs) {
  const GuestTree tree;
  for (const bool filtered : {true, false}) {
    std::vector<std::string> options = tree.binds();
    if (!filtered) options.emplace_back("-p");
    const Outcome outcome = tree.run(options, {"/go/program"});
    EXPECT_EQ(outcome.out, "/go/program / 0 exit status 3 true\n");
    EXPECT_EQ(outcome.status, 0);
  }
}

}  // namespace
}  // namespace udk::engine::test
