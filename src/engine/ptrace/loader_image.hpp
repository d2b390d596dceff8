#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "guest/layout.hpp"
#include "xlate/abi.hpp"

// The small ELF program that guest processes exec: the code of loader_*.S at a fixed address and scratch memory behind
// it, where the tracer puts translated paths.
namespace udk::engine {

// One instruction of the loader's list; loader_*.S says what it does with it. The loader of i386 has 32-bit words.
struct LoaderCommand {
  std::uint64_t number = 0;
  std::uint64_t args[6] = {};
  std::uint64_t flags = 0;
};
inline constexpr std::uint64_t k_op_finish = 0x1000, k_op_zero = 0x1001, k_op_store = 0x1002;
inline constexpr std::uint64_t k_syscall_size = 2;  // of the instruction of x86-64
inline constexpr std::uint64_t k_set_base = 1, k_set_fd = 2, k_add_base0 = 4, k_fd4 = 8, k_add_base1 = 16, k_fd0 = 32,
                               k_may_fail = 64;

// Scratch memory: one slot for each thread of an address space.
inline constexpr std::size_t k_slot_size = 8192;
inline constexpr std::size_t k_slot_count = 256;

// Where the loader lies: the usual place, and another one for programs that are linked there. Below 2 GiB it is out of
// the way of the address sanitizers' shadows; in 32-bit programs between the heap and what Wine wants to have.
inline constexpr std::size_t k_loader_places = 2;
constexpr std::uint64_t loader_base(xlate::Abi abi, std::size_t place) {
  constexpr std::uint64_t bases[][k_loader_places] = {{0x70000000, 0x2a0000000000}, {0x7c000000, 0x04000000}};
  return bases[static_cast<std::size_t>(abi)][place];
}

class LoaderImage {
 public:
  // Makes the file (memfd, or a temporary file where there is none) for one of the bases.
  static Result<LoaderImage> create(xlate::Abi abi, std::uint64_t base);

  [[nodiscard]] const std::string& path() const { return path_; }  // what guests exec
  [[nodiscard]] xlate::Abi abi() const { return abi_; }
  [[nodiscard]] std::uint64_t base() const { return base_; }
  [[nodiscard]] std::uint64_t scratch() const { return scratch_of(abi_, base_); }

  // That of 64-bit programs carries the runtime (src/guest) between its code and the scratch memory.
  static constexpr std::uint64_t scratch_of(xlate::Abi abi, std::uint64_t base) {
    return base + (abi == xlate::Abi::x86_64 ? guest::k_scratch_at : guest::k_page);
  }
  // The address behind the loader's system call instruction: the filter lets these through.
  static std::uint64_t syscall_end(xlate::Abi abi, std::uint64_t base);
  // Address of the return stub for a call of x86-64 whose argument `arg` (0 to 4) was replaced.
  static std::uint64_t stub(std::uint64_t base, int arg);
  // Address of a stub's own `syscall`, from where a call is made that returns through that stub.
  static std::uint64_t call_from(std::uint64_t base) { return stub(base, 0) - k_syscall_size; }
  // Whether an address is behind the `syscall` of one of the stubs.
  static bool is_stub(std::uint64_t base, std::uint64_t ip);

 private:
  Fd file_;
  std::string path_;
  xlate::Abi abi_ = xlate::Abi::x86_64;
  std::uint64_t base_ = 0;
};

// The loaders of a run, each made when it is needed first.
class LoaderImages {
 public:
  // Makes the usual one, so that a host on which none can be made is told in time.
  Result<> prepare();
  // For a program whose segments lie between `low` and `high`, which are equal if it can be anywhere. Null: there is no
  // place, or no file could be made.
  const LoaderImage* choose(xlate::Abi abi, std::uint64_t low, std::uint64_t high);

 private:
  static Result<> make(std::optional<LoaderImage>& image, xlate::Abi abi, std::uint64_t base);
  std::array<std::optional<LoaderImage>, std::size(xlate::k_abis) * k_loader_places> images_;
};

}  // namespace udk::engine
