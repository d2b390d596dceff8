#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "xlate/abi.hpp"
#include "xlate/calls.hpp"

// The seccomp program of a guest, made from the declared system calls.
namespace udk::engine {

// The data of SECCOMP_RET_TRACE: which calls a report is about. Filters of the guest's own may report, too, and then
// have other data; of two that report the younger one's counts.
constexpr std::uint32_t report_data(xlate::Abi abi) { return 0x7564U + static_cast<std::uint32_t>(abi); }

// An instruction pointer in the calls of one kind.
struct CallSite {
  xlate::Abi abi;
  std::uint64_t address;
};

// What this run needs to see beyond the calls that always stop.
struct FilterOptions {
  bool identity = false;               // ids are emulated
  bool read_only = false;              // some bind is read-only
  bool release = false;                // uname(2) is answered by us
  bool listing = false;                // a real directory lacks a mount point
  bool notify = false;                 // calls that the engine answers come as notifications
  bool notify_open = false;            // open(2) for reading too
  std::vector<CallSite> loader_calls;  // the loader's own calls, which pass
  std::vector<std::uint64_t> stubs;    // pages of return stubs: calls from there are never notified
  std::vector<CallSite> gates;         // the runtime's own calls, which pass; empty: none serves calls
};

// What the filter does about a call.
enum class Verdict : unsigned char { pass, refuse, report, notify, by_argument };
Verdict filter_verdict(xlate::Abi abi, const xlate::Call& call, const FilterOptions& options);

std::vector<sock_filter> make_filter(const FilterOptions& options);

}  // namespace udk::engine
