#include "engine/ptrace/filter.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <span>

#include "xlate/call_tables.hpp"

// Structure: architecture; for each number, a balanced tree over ranges of numbers with the same answer; the few
// answers that depend on an argument last. Numbers that always pass load nothing but number and architecture, so that
// Linux answers them from its bitmap without running the program (seccomp_cache_prepare, 5.11).
namespace udk::engine {
namespace {

using Program = std::vector<sock_filter>;
using xlate::Abi;
using xlate::Call;
using xlate::Op;
using xlate::Stop;

constexpr std::uint32_t k_allow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t trace(Abi abi) { return SECCOMP_RET_TRACE | report_data(abi); }
constexpr std::uint32_t refuse(std::uint32_t error) { return SECCOMP_RET_ERRNO | error; }

sock_filter statement(unsigned code, std::uint32_t k) { return {static_cast<__u16>(code), 0, 0, k}; }
sock_filter jump(unsigned code, std::uint32_t k, std::size_t if_true, std::size_t if_false) {
  return {static_cast<__u16>(BPF_JMP | code | BPF_K), static_cast<__u8>(if_true), static_cast<__u8>(if_false), k};
}
sock_filter answer(std::uint32_t value) { return statement(BPF_RET | BPF_K, value); }
sock_filter load(std::size_t offset) { return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
std::size_t low_word(int arg) { return offsetof(seccomp_data, args) + 8 * static_cast<std::size_t>(arg); }

Program if_argument(Abi abi, int arg) {
  return {load(low_word(arg)),    jump(BPF_JEQ, 0, 0, 2), load(low_word(arg) + 4),
          jump(BPF_JEQ, 0, 1, 0), answer(trace(abi)),     answer(k_allow)};
}

Program by_clone_flags(Abi abi, int arg) {
  return {load(low_word(arg)),   jump(BPF_JSET, xlate::k_namespace_flags, 0, 1),
          answer(refuse(EPERM)), jump(BPF_JSET, xlate::k_untraced, 0, 1),
          answer(trace(abi)),    answer(k_allow)};
}

// `then`: of filters without a listener.
Program unless_listener(std::uint32_t then) {
  return {load(low_word(0)),      jump(BPF_JEQ, xlate::k_set_filter, 0, 4),
          load(low_word(1)),      jump(BPF_JSET, xlate::k_new_listener, 0, 1),
          answer(refuse(EINVAL)), answer(then),
          answer(k_allow)};
}

Program if_list_position(Abi abi, int arg) {
  if (abi == Abi::x86_64)
    return {load(low_word(arg) + 4), jump(BPF_JEQ, static_cast<std::uint32_t>(xlate::k_list_position >> 32), 0, 1),
            answer(trace(abi)), answer(k_allow)};
  return {load(low_word(arg)), jump(BPF_JGE, xlate::k_list_position_i386, 0, 2),
          jump(BPF_JGE, xlate::k_list_position_i386 + xlate::k_list_positions_i386, 1, 0), answer(trace(abi)),
          answer(k_allow)};
}

// If the argument has one of these values.
Program if_one_of(int arg, std::span<const std::uint32_t> values, std::uint32_t then) {
  Program p = {load(low_word(arg))};
  const std::size_t count = values.size();
  for (std::size_t i = 0; i < count; ++i) p.push_back(jump(BPF_JEQ, values[i], count - i, 0));
  p.push_back(answer(k_allow));
  p.push_back(answer(then));
  return p;
}

// In front of `then`: other values of the argument pass.
Program only_if(int arg, std::uint32_t value, const Program& then) {
  Program p = {load(low_word(arg)), jump(BPF_JEQ, value, 1, 0), answer(k_allow)};
  p.insert(p.end(), then.begin(), then.end());
  return p;
}

std::vector<std::uint32_t> socket_calls() {
  std::vector<std::uint32_t> values;
  for (const xlate::SocketCall& call : xlate::k_socket_calls) values.push_back(call.which);
  return values;
}

Program by_argument(Abi abi, const Call& call, const FilterOptions& options) {
  switch (call.stop) {
    case Stop::clone_flags:
      return by_clone_flags(abi, call.stop_arg);
    case Stop::no_listener:
      return unless_listener(options.gates.empty() ? k_allow : trace(abi));
    case Stop::argument:
      return if_argument(abi, call.stop_arg);
    case Stop::list_position:
      return if_list_position(abi, call.stop_arg);
    case Stop::no_audit: {
      constexpr std::uint32_t audit[] = {xlate::k_netlink_audit};
      return only_if(0, xlate::k_af_netlink, if_one_of(2, audit, refuse(EPROTONOSUPPORT)));
    }
    case Stop::everybody: {
      constexpr std::uint32_t all[] = {~std::uint32_t{0}};
      return if_one_of(0, all, trace(abi));
    }
    case Stop::credential_option:
      return only_if(1, xlate::k_sol_socket, if_one_of(2, xlate::k_credential_options, trace(abi)));
    case Stop::socketcall:
      return if_one_of(0, socket_calls(), trace(abi));
    default:
      return if_one_of(0, xlate::k_prctl_options, trace(abi));
  }
}

// In front of `then`: calls from these places pass.
Program unless_from(const std::vector<CallSite>& places, Abi abi, const Program& then) {
  Program p;
  constexpr std::size_t ip = offsetof(seccomp_data, instruction_pointer);
  for (const auto& [caller, address] : places) {
    if (caller != abi) continue;
    p.push_back(load(ip));
    p.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(address), 0, 3));
    p.push_back(load(ip + 4));
    p.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(address >> 32), 0, 1));
    p.push_back(answer(k_allow));
  }
  p.insert(p.end(), then.begin(), then.end());
  return p;
}

// In front of `then`: calls from the pages of the return stubs are reported. They are those that were notified before,
// and turned out to be ones that the guest must make itself.
Program unless_stub(const FilterOptions& options, Abi abi, const Program& then) {
  constexpr std::uint32_t page = ~std::uint32_t{0xfff};
  constexpr std::size_t ip = offsetof(seccomp_data, instruction_pointer);
  Program p;
  for (const std::uint64_t stubs : options.stubs) {
    p.push_back(load(ip));
    p.push_back(statement(BPF_ALU | BPF_AND | BPF_K, page));
    p.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(stubs), 0, 3));
    p.push_back(load(ip + 4));
    p.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(stubs >> 32), 0, 1));
    p.push_back(answer(trace(abi)));
  }
  p.insert(p.end(), then.begin(), then.end());
  return p;
}

Program notified(const FilterOptions& options, Abi abi, const Call& call) {
  const Program notify = {answer(SECCOMP_RET_USER_NOTIF)};
  if (call.op != Op::open) return abi == Abi::x86_64 ? unless_stub(options, abi, notify) : notify;
  const Program by_flags = {load(low_word(call.flags)), jump(BPF_JSET, xlate::k_open_in_guest, 0, 1),
                            answer(trace(abi)), answer(SECCOMP_RET_USER_NOTIF)};
  return unless_stub(options, abi, by_flags);
}

bool wanted(const Call& call, const FilterOptions& options) {
  switch (call.stop) {
    case Stop::identity:
      return options.identity;
    case Stop::read_only:
      return options.read_only;
    case Stop::identity_or_read_only:
      return options.identity || options.read_only;
    case Stop::release:
      return options.release;
    case Stop::listing:
    case Stop::list_position:
      return options.listing;
    default:
      return true;
  }
}

Program code_for(Abi abi, const Call* call, const FilterOptions& options) {
  if (call == nullptr) return {answer(refuse(ENOSYS))};
  Program code;
  switch (filter_verdict(abi, *call, options)) {
    case Verdict::pass:
      return {answer(k_allow)};
    case Verdict::refuse:
      return {answer(refuse(call->error))};
    case Verdict::by_argument:
      return by_argument(abi, *call, options);
    case Verdict::report:
      code = {answer(trace(abi))};
      break;
    case Verdict::notify:
      code = notified(options, abi, *call);
      break;
  }
  if (call->op == Op::open && call->dir >= 0) code = unless_from(options.loader_calls, abi, code);
  return xlate::is_asked_in_guest(call->op) ? unless_from(options.gates, abi, code) : code;
}

bool same(const Program& a, const Program& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].code != b[i].code || a[i].jt != b[i].jt || a[i].jf != b[i].jf || a[i].k != b[i].k) return false;
  return true;
}

struct Range {
  std::uint32_t first;
  Program code;
};

// The number is in the accumulator.
Program tree(std::span<const Range> ranges) {
  if (ranges.size() == 1) return ranges[0].code;
  const std::size_t middle = ranges.size() / 2;
  const Program below = tree(ranges.first(middle));
  const Program above = tree(ranges.subspan(middle));
  Program p;
  if (below.size() <= 255) {
    p.push_back(jump(BPF_JGE, ranges[middle].first, below.size(), 0));
  } else {
    p.push_back(jump(BPF_JGE, ranges[middle].first, 0, 1));
    p.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(below.size())));
  }
  p.insert(p.end(), below.begin(), below.end());
  p.insert(p.end(), above.begin(), above.end());
  return p;
}

}  // namespace

namespace {

// An open file can be handed over, but if the guest must open it after all, that needs a return stub.
bool can_notify(Abi abi, const Call& call, const FilterOptions& options) {
  if (call.op == Op::open) return options.notify_open && call.flags >= 0 && abi == Abi::x86_64;
  return xlate::is_answered(call.op);
}

}  // namespace

Verdict filter_verdict(Abi abi, const Call& call, const FilterOptions& options) {
  if (call.op == Op::refuse) return Verdict::refuse;
  if (call.stop == Stop::no_listener) return Verdict::by_argument;
  if (call.stop == Stop::no_audit || call.stop == Stop::credential_option)
    return options.identity ? Verdict::by_argument : Verdict::pass;
  if (call.op == Op::pass || !wanted(call, options)) return Verdict::pass;
  switch (call.stop) {
    case Stop::argument:
    case Stop::prctl_option:
    case Stop::socketcall:
    case Stop::list_position:
    case Stop::everybody:
    case Stop::clone_flags:
      return Verdict::by_argument;
    default:
      return options.notify && can_notify(abi, call, options) ? Verdict::notify : Verdict::report;
  }
}

namespace {

// The architecture is in the accumulator, and stays there for what follows if it is another one.
Program section(Abi abi, const FilterOptions& options) {
  std::vector<Range> ranges;
  for (std::uint32_t number = 0; number <= xlate::call_limit(abi); ++number) {
    Program code = code_for(abi, xlate::find_call(abi, number), options);
    if (ranges.empty() || !same(ranges.back().code, code)) ranges.push_back({number, std::move(code)});
  }
  const Program body = tree(ranges);
  Program p = {jump(BPF_JEQ, abi == Abi::x86_64 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_I386, 1, 0),
               statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(body.size() + 1)),
               load(offsetof(seccomp_data, nr))};
  p.insert(p.end(), body.begin(), body.end());
  return p;
}

}  // namespace

std::vector<sock_filter> make_filter(const FilterOptions& options) {
  Program p = {load(offsetof(seccomp_data, arch))};
  for (const Abi abi : xlate::k_abis) {
    const Program part = section(abi, options);
    p.insert(p.end(), part.begin(), part.end());
  }
  p.push_back(answer(refuse(ENOSYS)));
  return p;
}

}  // namespace udk::engine
