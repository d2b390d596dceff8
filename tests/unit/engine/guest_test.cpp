#include <gtest/gtest.h>

#include <algorithm>
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
  std::string interception;
};

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const char* form : {"bin", "static", "static-pie", "musl", "i386", "i386-static", "i386-static-pie"})
    for (const char* program : {"files", "identity", "order", "processes", "programs", "sockets"})
      for (const char* way : k_interceptions) out.push_back({form, program, way});
  return out;
}

class Guest : public ::testing::TestWithParam<Case> {};

TEST_P(Guest, AllChecksHold) {
  if (GetParam().form.starts_with("i386") && !runs_i386()) GTEST_SKIP() << "ia32: the kernel runs no 32-bit programs";
  const GuestTree tree;
  std::vector<std::string> options = tree.binds();
  options.insert(options.end(), {"-i", GetParam().interception});
  const Outcome outcome = tree.run(options, {"/" + GetParam().form + "/" + GetParam().program});
  EXPECT_EQ(outcome.out, "all checks hold\n");
  EXPECT_EQ(outcome.status, 0);
}

INSTANTIATE_TEST_SUITE_P(Forms, Guest, ::testing::ValuesIn(cases()), [](const auto& which) {
  std::string form = which.param.form;
  std::replace(form.begin(), form.end(), '-', '_');
  return form + "_" + which.param.program + "_" + which.param.interception;
});

// The structures and calls of i386: as root with another kernel release, and as the user whom the kernel knows, for
// whom calls with descriptors are the kernel's own.
TEST(CompatGuest, StructuresAreThoseOfTheKernel) {
  if (!runs_i386()) GTEST_SKIP() << "ia32: the kernel runs no 32-bit programs";
  const GuestTree tree;
  const std::vector<std::vector<std::string>> runs = {{"-k", "9.8.7", "-e", "COMPAT_RELEASE=9.8.7"},
                                                      {"-u", ordinary_user()}};
  for (const char* form : {"i386", "i386-static", "i386-static-pie"}) {
    for (const std::vector<std::string>& run : runs) {
      for (const char* way : k_interceptions) {
        std::vector<std::string> options = tree.binds();
        options.insert(options.end(), run.begin(), run.end());
        options.insert(options.end(), {"-i", way});
        const Outcome outcome = tree.run(options, {std::string("/") + form + "/compat"});
        EXPECT_EQ(outcome.out, "all checks hold\n") << form;
        EXPECT_EQ(outcome.status, 0);
      }
    }
  }
}

void run_go(const std::string& program) {
  const GuestTree tree;
  for (const char* way : k_interceptions) {
    std::vector<std::string> options = tree.binds();
    options.insert(options.end(), {"-i", way});
    const Outcome outcome = tree.run(options, {program});
    EXPECT_EQ(outcome.out, program + " / 0 exit status 3 true\n");
    EXPECT_EQ(outcome.status, 0);
  }
}

TEST(GoGuest, Runs) { run_go("/go/program-amd64"); }

TEST(GoGuest, RunsWith32Bits) {
  if (!runs_i386()) GTEST_SKIP() << "ia32: the kernel runs no 32-bit programs";
  run_go("/go/program-386");
}

// From one kind of program to the other and back, with scripts between.
TEST(MixedGuests, StartEachOther) {
  if (!runs_i386()) GTEST_SKIP() << "ia32: the kernel runs no 32-bit programs";
  const GuestTree tree;
  tree.put("/tmp/narrow", "#!/i386/programs\n", 0755);
  tree.put("/tmp/wide", "#!/bin/sh\nPROGRAMS_PRINT=1 exec /tmp/narrow \"$@\"\n", 0755);
  for (const char* script : {"/tmp/wide a b", "exec /tmp/wide a b", "(/tmp/wide a b) | cat"}) {
    const Outcome outcome = tree.run({}, {"/bin/sh", "-c", script});
    EXPECT_EQ(outcome.out, "[/i386/programs][/tmp/narrow][a][b]\n") << script;
    EXPECT_EQ(outcome.status, 0);
  }
}

}  // namespace
}  // namespace udk::engine::test
