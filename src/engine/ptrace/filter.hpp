#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "xlate/calls.hpp"

// The seccomp program of a guest, made from the declared system calls.
namespace udk::engine {

// What this run needs to see beyond the calls that always stop.
struct FilterOptions {
  bool identity = false;                    // ids are emulated
  bool read_only = false;                   // some bind is read-only
  bool release = false;                     // uname(2) is answered by us
  bool listing = false;                     // a real directory lacks a mount point
  std::vector<std::uint64_t> loader_calls;  // instruction pointers of the loader's own calls, which pass
};

// What the filter does about a call.
enum class Verdict : unsigned char { pass, refuse, report, by_argument };
Verdict filter_verdict(const xlate::Call& call, const FilterOptions& options);

std::vector<sock_filter> make_filter(const FilterOptions& options);

}  // namespace udk::engine
