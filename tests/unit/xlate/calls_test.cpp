#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <span>
#include <string>

#include "xlate/call_tables.hpp"

namespace udk::xlate {
namespace {

// Every call that the kernel headers declare has a row with that name: a new kernel's calls must be thought about.
// UDOCKER_UNISTD_64 and _32 name further headers (":" between them), such as those of a newer release.
std::string header_list(Abi abi) {
  const std::string bits = abi == Abi::x86_64 ? "64" : "32";
  const char* more = std::getenv(("UDOCKER_UNISTD_" + bits).c_str());
  return "/usr/include/x86_64-linux-gnu/asm/unistd_" + bits + ".h" + (more != nullptr ? ":" + std::string(more) : "");
}

std::span<const Call> rows(Abi abi) {
  return abi == Abi::x86_64 ? std::span<const Call>(k_calls_x86_64) : std::span<const Call>(k_calls_i386);
}

class Calls : public ::testing::TestWithParam<Abi> {};
INSTANTIATE_TEST_SUITE_P(Abis, Calls, ::testing::ValuesIn(k_abis),
                         [](const auto& which) { return which.param == Abi::x86_64 ? "x86_64" : "i386"; });

TEST_P(Calls, EveryCallOfTheKernelHeadersIsClassified) {
  const std::string list = header_list(GetParam());
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
      const Call* call = find_call(GetParam(), std::stoul(match[2]));
      ASSERT_NE(call, nullptr) << match[1] << " is not classified";
      EXPECT_EQ(call->name, match[1].str());
    }
    EXPECT_GT(found, 300U);
    at = end + 1;
  }
}

TEST_P(Calls, UnknownNumbersHaveNoRow) {
  EXPECT_EQ(find_call(GetParam(), call_limit(GetParam())), nullptr);
  EXPECT_EQ(find_call(GetParam(), GetParam() == Abi::x86_64 ? 400 : 222), nullptr);
  EXPECT_EQ(find_call(GetParam(), ~std::uint64_t{0}), nullptr);
  EXPECT_EQ(find_call(GetParam(), 0x40000000), nullptr) << "x32";
}

TEST_P(Calls, RowsAreConsistent) {
  std::set<std::string> names;
  for (const Call& call : rows(GetParam())) {
    EXPECT_TRUE(names.insert(call.name).second) << call.name;
    EXPECT_EQ(call.op == Op::refuse, call.error != 0) << call.name;
    if (GetParam() == Abi::x86_64) {
      EXPECT_LT(call.path, 5) << call.name << ": there is no return stub for the sixth argument";
    }
    if (call.dir >= 0) {
      EXPECT_GE(call.path, 0) << call.name;
    }
    if (call.stop == Stop::argument || call.stop == Stop::clone_flags) {
      EXPECT_GE(call.stop_arg, 0) << call.name;
    }
    const bool by_flags = call.follow != Follow::always && call.follow != Follow::never && call.follow != Follow::name;
    if (by_flags) {
      EXPECT_GE(call.flags, 0) << call.name;
    }
  }
}

// What calls of the same name mean does not depend on the architecture.
TEST(CallTables, Agree) {
  for (const Call& narrow : k_calls_i386) {
    for (const Call& wide : k_calls_x86_64) {
      if (std::string(wide.name) != narrow.name) continue;
      EXPECT_EQ(wide.op, narrow.op) << wide.name;
      EXPECT_EQ(wide.follow, narrow.follow) << wide.name;
      EXPECT_EQ(wide.effect, narrow.effect) << wide.name;
      EXPECT_EQ(wide.stop, narrow.stop) << wide.name;
      EXPECT_EQ(wide.error, narrow.error) << wide.name;
      if (wide.number < 424) continue;
      EXPECT_EQ(wide.number, narrow.number) << wide.name;
    }
  }
  for (const Call& wide : k_calls_x86_64) {
    if (wide.number < 424) continue;
    ASSERT_NE(find_call(Abi::i386, wide.number), nullptr) << wide.name;
  }
}

TEST(CallTables, SocketCallsLeadToTheirOwnNumbers) {
  for (const SocketCall& call : k_socket_calls) {
    EXPECT_EQ(find_socket_call(call.which), &call);
    const Call* row = find_call(Abi::i386, call.number);
    ASSERT_NE(row, nullptr);
    EXPECT_TRUE(row->op != Op::pass || row->stop != Stop::always) << row->name;
  }
  EXPECT_EQ(find_socket_call(9), nullptr) << "send";
}

TEST_P(Calls, WaysAroundAreClosed) {
  for (const char* name : {"io_uring_setup", "io_uring_enter", "io_uring_register"}) {
    const Call* found = nullptr;
    for (const Call& call : rows(GetParam()))
      if (std::string(call.name) == name) found = &call;
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->op, Op::refuse);
    EXPECT_EQ(found->error, ENOSYS);
  }
}

}  // namespace
}  // namespace udk::xlate
