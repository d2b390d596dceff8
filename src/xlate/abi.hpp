#pragma once

#include <cstddef>
#include <cstdint>

// The two ways in which programs of an x86-64 host call its kernel.
namespace udk::xlate {

enum class Abi : std::uint8_t {
  x86_64,  // `syscall` from 64-bit code
  i386     // `int 0x80`, `sysenter`, `syscall` from 32-bit code; `int 0x80` from 64-bit code too
};
inline constexpr Abi k_abis[] = {Abi::x86_64, Abi::i386};

constexpr std::size_t word_size(Abi abi) { return abi == Abi::x86_64 ? 8 : 4; }

}  // namespace udk::xlate
