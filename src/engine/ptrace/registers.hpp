#pragma once

#include <sys/user.h>

#include <cstdint>

#include "xlate/abi.hpp"

// A stopped guest's registers, by what they mean in a system call. The tracer is a 64-bit program, so that the kernel
// shows it the 64-bit registers of every guest: number in orig_rax, result in rax for both kinds of calls.
namespace udk::engine {

using Registers = user_regs_struct;
using Word = unsigned long long;
using xlate::Abi;

inline Word& argument_register(Registers& r, Abi abi, int i) {
  const bool wide = abi == Abi::x86_64;
  switch (i) {
    case 0:
      return wide ? r.rdi : r.rbx;
    case 1:
      return wide ? r.rsi : r.rcx;
    case 2:
      return r.rdx;
    case 3:
      return wide ? r.r10 : r.rsi;
    case 4:
      return wide ? r.r8 : r.rdi;
    default:
      return wide ? r.r9 : r.rbp;
  }
}

// A value as the kernel takes it: calls of i386 have 32-bit arguments, whatever is above them in the register.
constexpr Word as_word(Abi abi, Word value) { return abi == Abi::x86_64 ? value : static_cast<std::uint32_t>(value); }

// Whether a call has returned because of a signal, for a restart if the handler wants it: ERESTARTSYS, which only
// tracers see (linux/errno.h).
inline bool is_interrupted(const Registers& regs) { return static_cast<int>(regs.rax) == -512; }

}  // namespace udk::engine
