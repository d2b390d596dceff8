#pragma once

#include "xlate/abi.hpp"
#include "xlate/calls_i386.hpp"
#include "xlate/calls_x86_64.hpp"

// Finds the row of a call by number.
namespace udk::xlate {

template <const auto& k_rows>
struct CallIndex {
  static constexpr std::size_t k_count = sizeof k_rows / sizeof k_rows[0];
  static constexpr std::size_t k_limit = k_rows[k_count - 1].number + 1U;
  std::uint16_t of[k_limit] = {};  // row + 1; 0: none

  constexpr CallIndex() {
    for (std::size_t i = 0; i < k_count; ++i) of[k_rows[i].number] = static_cast<std::uint16_t>(i + 1);
  }
  [[nodiscard]] constexpr const Call* find(std::uint64_t number) const {
    return number >= k_limit || of[number] == 0 ? nullptr : &k_rows[of[number] - 1U];
  }
};
inline constexpr CallIndex<k_calls_x86_64> k_index_x86_64;
inline constexpr CallIndex<k_calls_i386> k_index_i386;

// The row of a call, or null if it is not declared.
constexpr const Call* find_call(Abi abi, std::uint64_t number) {
  return abi == Abi::x86_64 ? k_index_x86_64.find(number) : k_index_i386.find(number);
}
// No declared number is as large.
constexpr std::size_t call_limit(Abi abi) { return abi == Abi::x86_64 ? k_index_x86_64.k_limit : k_index_i386.k_limit; }

}  // namespace udk::xlate
