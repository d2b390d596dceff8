#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <string>

#include "xlate/calls_x86_64.hpp"

namespace udk::xlate {
namespace {

// Every call that the kernel headers declare has a row with that name: a new kernel's calls must be thought about.
// UDOCKER_UNISTD_64 names further headers (":" between them), such as those of a newer release.
std::string header_list() {
  const char* more = std::getenv("UDOCKER_UNISTD_64");
  return std::string("/usr/include/x86_64-linux-gnu/asm/unistd_64.h") +
         (more != nullptr ? ":" + std::string(more) : "");
}

TEST(Calls, EveryCallOfTheKernelHeadersIsClassified) {
  const std::string list = header_list();
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(':', at), list.size());
    std::ifstream header(list.substr(at, end - at));
    ASSERT_TRUE(header) << list.substr(at, end - at);
    const std::regex define(R"(#define __NR_(\w+) (\d+))");
    unsigned found = 0;
    for (std::string line; std::getline(header, line);) {
      std::smatch match;
      if (!std::regex_match(line, match, define)) continue;
      ++found;
      const Call* call = find_call(std::stoul(match[2]));
      ASSERT_NE(call, nullptr) << match[1] << " is not classified";
      EXPECT_EQ(call->name, match[1].str());
    }
    EXPECT_GT(found, 300U);
    at = end + 1;
  }
}

TEST(Calls, UnknownNumbersHaveNoRow) {
  EXPECT_EQ(find_call(k_call_limit_x86_64), nullptr);
  EXPECT_EQ(find_call(400), nullptr);
  EXPECT_EQ(find_call(~std::uint64_t{0}), nullptr);
  EXPECT_EQ(find_call(0x40000000), nullptr) << "x32";
}

TEST(Calls, RowsAreConsistent) {
  std::set<std::string> names;
  for (const Call& call : k_calls_x86_64) {
    EXPECT_TRUE(names.insert(call.name).second) << call.name;
    EXPECT_EQ(call.op == Op::refuse, call.error != 0) << call.name;
    EXPECT_LT(call.path, 5) << call.name << ": there is no return stub for the sixth argument";
    if (call.dir >= 0) {
      EXPECT_GE(call.path, 0) << call.name;
    }
    if (call.stop == Stop::argument || call.stop == Stop::no_namespaces) {
      EXPECT_GE(call.stop_arg, 0) << call.name;
    }
    const bool by_flags = call.follow != Follow::always && call.follow != Follow::never && call.follow != Follow::name;
    if (by_flags) {
      EXPECT_GE(call.flags, 0) << call.name;
    }
  }
}

TEST(Calls, WaysAroundAreClosed) {
  for (const char* name : {"io_uring_setup", "io_uring_enter", "io_uring_register"}) {
    const Call* found = nullptr;
    for (const Call& call : k_calls_x86_64)
      if (std::string(call.name) == name) found = &call;
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->op, Op::refuse);
    EXPECT_EQ(found->error, ENOSYS);
  }
}

}  // namespace
}  // namespace udk::xlate
