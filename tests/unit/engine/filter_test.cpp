#include "engine/ptrace/filter.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

#include "xlate/call_tables.hpp"

namespace udk::engine {
namespace {

// Runs the program as the kernel would (the instructions that filters here use).
std::uint32_t verdict(const std::vector<sock_filter>& program, const seccomp_data& data) {
  std::uint32_t a = 0;
  for (std::size_t at = 0; at < program.size();) {
    const sock_filter& f = program[at++];
    switch (f.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + f.k, sizeof a);
        break;
      case BPF_JMP | BPF_JA:
        at += f.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += a == f.k ? f.jt : f.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += a >= f.k ? f.jt : f.jf;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        at += (a & f.k) != 0 ? f.jt : f.jf;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= f.k;
        break;
      case BPF_RET | BPF_K:
        return f.k;
      default:
        ADD_FAILURE() << "instruction " << f.code;
        return 0;
    }
  }
  ADD_FAILURE() << "the program has no end";
  return 0;
}

using xlate::Abi;

seccomp_data call(std::uint64_t number, Abi abi = Abi::x86_64) {
  seccomp_data data{};
  data.nr = static_cast<int>(number);
  data.arch = abi == Abi::x86_64 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_I386;
  return data;
}

constexpr std::uint32_t k_report_x86_64 = SECCOMP_RET_TRACE | report_data(Abi::x86_64);
constexpr std::uint32_t k_report_i386 = SECCOMP_RET_TRACE | report_data(Abi::i386);
constexpr std::uint32_t k_nosys = SECCOMP_RET_ERRNO | ENOSYS;

class FilterOf : public ::testing::TestWithParam<Abi> {};
INSTANTIATE_TEST_SUITE_P(Abis, FilterOf, ::testing::ValuesIn(xlate::k_abis),
                         [](const auto& which) { return which.param == Abi::x86_64 ? "x86_64" : "i386"; });

TEST_P(FilterOf, EveryNumberGetsTheTablesAnswer) {
  for (const bool all : {false, true}) {
    FilterOptions options;
    options.identity = options.read_only = options.release = options.listing = options.notify = options.notify_open =
        all;
    const auto program = make_filter(options);
    EXPECT_LT(program.size(), 3000U) << "BPF_MAXINSNS is 4096";
    for (std::uint64_t number = 0; number < 1000; ++number) {
      const xlate::Call* row = xlate::find_call(GetParam(), number);
      const std::uint32_t got = verdict(program, call(number, GetParam()));
      if (row == nullptr) {
        EXPECT_EQ(got, k_nosys) << number;
        continue;
      }
      switch (filter_verdict(GetParam(), *row, options)) {
        case Verdict::pass:
          EXPECT_EQ(got, SECCOMP_RET_ALLOW) << row->name;
          break;
        case Verdict::refuse:
          EXPECT_EQ(got, SECCOMP_RET_ERRNO | row->error) << row->name;
          break;
        case Verdict::report:
          EXPECT_EQ(got, GetParam() == Abi::x86_64 ? k_report_x86_64 : k_report_i386) << row->name;
          break;
        case Verdict::notify:
          EXPECT_EQ(got, SECCOMP_RET_USER_NOTIF) << row->name;
          EXPECT_TRUE(all) << row->name;
          break;
        case Verdict::by_argument:
          EXPECT_EQ(got, SECCOMP_RET_ALLOW) << row->name << " with null arguments";
          break;
      }
    }
  }
}

TEST(Filter, OtherArchitecturesHaveNoCalls) {
  const auto program = make_filter({});
  seccomp_data data = call(SYS_getpid);
  data.arch = AUDIT_ARCH_AARCH64;
  EXPECT_EQ(verdict(program, data), k_nosys);
  EXPECT_EQ(verdict(program, call(0x40000000 | SYS_getpid)), k_nosys) << "x32";
  EXPECT_EQ(verdict(program, call(0x40000000 | SYS_openat)), k_nosys) << "x32";
  EXPECT_EQ(verdict(program, call(~std::uint64_t{0})), k_nosys);
  EXPECT_EQ(verdict(program, call(~std::uint64_t{0}, Abi::i386)), k_nosys);
}

TEST(Filter, ArgumentsDecide) {
  const auto program = make_filter({});
  seccomp_data data = call(SYS_sendto);
  data.args[4] = std::uint64_t{1} << 32;
  EXPECT_EQ(verdict(program, data), k_report_x86_64);
  data = call(SYS_clone);
  data.args[0] = 0x10000000;
  EXPECT_EQ(verdict(program, data), SECCOMP_RET_ERRNO | EPERM);
  data.args[0] = 0x00010f00;
  EXPECT_EQ(verdict(program, data), SECCOMP_RET_ALLOW);
  data.args[0] = 0x00810f00;
  EXPECT_EQ(verdict(program, data), k_report_x86_64) << "CLONE_UNTRACED";
  data = call(SYS_seccomp);
  data.args[0] = SECCOMP_SET_MODE_FILTER;
  EXPECT_EQ(verdict(program, data), SECCOMP_RET_ALLOW);
  data.args[1] = SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_NEW_LISTENER;
  EXPECT_EQ(verdict(program, data), SECCOMP_RET_ERRNO | EINVAL);
  data = call(SYS_lseek);
  data.args[1] = xlate::k_list_position + 7;
  EXPECT_EQ(verdict(program, data), SECCOMP_RET_ALLOW) << "no mount point is missing";
  FilterOptions listing;
  listing.listing = true;
  EXPECT_EQ(verdict(make_filter(listing), data), k_report_x86_64);
  data.args[1] = 4711;
  EXPECT_EQ(verdict(make_filter(listing), data), SECCOMP_RET_ALLOW);
  for (const int number : {19, 140}) {  // lseek and _llseek
    data = call(static_cast<std::uint64_t>(number), Abi::i386);
    auto& position = number == 19 ? data.args[1] : data.args[2];
    for (const std::uint64_t inside : {0x7ead0000U, 0x7ead0007U, 0x7eadffffU}) {
      position = inside;
      EXPECT_EQ(verdict(make_filter(listing), data), k_report_i386) << number;
    }
    for (const std::uint64_t outside : {0U, 4711U, 0x7eacffffU, 0x7eae0000U, 0xffffffffU}) {
      position = outside;
      EXPECT_EQ(verdict(make_filter(listing), data), SECCOMP_RET_ALLOW) << number;
    }
  }
  data = call(SYS_prctl);
  data.args[0] = 4;
  EXPECT_EQ(verdict(program, data), k_report_x86_64);
  data.args[0] = 15;
  EXPECT_EQ(verdict(program, data), SECCOMP_RET_ALLOW);
  data = call(102, Abi::i386);  // socketcall
  for (const std::uint64_t which : {4U, 8U, 9U, 10U, 13U, 21U}) {
    data.args[0] = which;
    EXPECT_EQ(verdict(program, data), SECCOMP_RET_ALLOW) << which;
  }
  for (const xlate::SocketCall& socket_call : xlate::k_socket_calls) {
    data.args[0] = socket_call.which;
    EXPECT_EQ(verdict(program, data), k_report_i386) << socket_call.which;
  }
}

TEST(Filter, OnlyTheLoadersOwnCallsPass) {
  FilterOptions options;
  const std::vector<std::uint64_t> places = {0x70000280, 0x2a0000000280};
  for (const std::uint64_t address : places) options.loader_calls.push_back({Abi::x86_64, address});
  options.loader_calls.push_back({Abi::i386, 0x7c000276});
  const auto program = make_filter(options);
  seccomp_data data = call(SYS_openat);
  EXPECT_EQ(verdict(program, data), k_report_x86_64);
  for (const std::uint64_t address : places) {
    data.instruction_pointer = address;
    EXPECT_EQ(verdict(program, data), SECCOMP_RET_ALLOW);
    data.instruction_pointer = address + 1;
    EXPECT_EQ(verdict(program, data), k_report_x86_64);
    data.instruction_pointer = address + (std::uint64_t{1} << 40);
    EXPECT_EQ(verdict(program, data), k_report_x86_64);
  }
  data = call(295, Abi::i386);
  data.instruction_pointer = 0x7c000276;
  EXPECT_EQ(verdict(program, data), SECCOMP_RET_ALLOW);
  data.instruction_pointer = places[0];
  EXPECT_EQ(verdict(program, data), k_report_i386);
}

TEST(Filter, WhatTheGuestMustDoItselfIsNotNotified) {
  FilterOptions options;
  options.notify = options.notify_open = true;
  options.stubs = {0x70000000, 0x2a0000000000};
  const auto program = make_filter(options);
  seccomp_data data = call(SYS_openat);
  EXPECT_EQ(verdict(program, data), SECCOMP_RET_USER_NOTIF);
  for (const int flags : {O_WRONLY, O_RDWR, O_CREAT, O_PATH, O_TMPFILE, O_CREAT | O_WRONLY | O_TRUNC}) {
    data.args[2] = static_cast<std::uint32_t>(flags);
    EXPECT_EQ(verdict(program, data), k_report_x86_64) << flags;
  }
  data.args[2] = O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
  EXPECT_EQ(verdict(program, data), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(verdict(program, call(295, Abi::i386)), k_report_i386) << "no stub to open it with";
  EXPECT_EQ(verdict(program, call(5, Abi::i386)), k_report_i386);
  EXPECT_EQ(verdict(program, call(SYS_creat)), k_report_x86_64);
  for (const std::uint64_t stubs : options.stubs) {
    for (const int number : {SYS_openat, SYS_newfstatat, SYS_readlink}) {
      data = call(static_cast<std::uint64_t>(number));
      data.instruction_pointer = stubs + 0x2eb;
      EXPECT_EQ(verdict(program, data), k_report_x86_64) << number;
      data.instruction_pointer = stubs + 0x12eb;
      EXPECT_EQ(verdict(program, data), SECCOMP_RET_USER_NOTIF) << number;
    }
  }
  options.notify_open = false;
  EXPECT_EQ(verdict(make_filter(options), call(SYS_openat)), SECCOMP_RET_TRACE | report_data(Abi::x86_64));
  EXPECT_EQ(verdict(make_filter(options), call(SYS_readlink)), SECCOMP_RET_USER_NOTIF);
}

}  // namespace
}  // namespace udk::engine
