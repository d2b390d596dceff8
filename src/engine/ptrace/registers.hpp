#pragma once

#include <sys/user.h>

// A stopped guest's registers, by what they mean in a system call of x86-64.
namespace udk::engine {

using Registers = user_regs_struct;
using Word = unsigned long long;

inline Word& argument(Registers& r, int i) {
  switch (i) {
    case 0:
      return r.rdi;
    case 1:
      return r.rsi;
    case 2:
      return r.rdx;
    case 3:
      return r.r10;
    case 4:
      return r.r8;
    default:
      return r.r9;
  }
}

}  // namespace udk::engine
