#pragma once

#include <linux/audit.h>
#include <sys/ptrace.h>
#include <sys/types.h>

#include "engine/ptrace/registers.hpp"

namespace udk::engine {

// What the kernel says of the call of a stopped thread (ptrace(2), PTRACE_GET_SYSCALL_INFO, Linux 5.3): false if it
// says nothing.
inline bool call_info(pid_t tid, __ptrace_syscall_info& info) {
  return ::ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) > 0;
}

// By which interface a call came: AUDIT_ARCH_*.
inline Abi abi_of_arch(std::uint32_t arch) { return arch == AUDIT_ARCH_I386 ? Abi::i386 : Abi::x86_64; }

}  // namespace udk::engine
