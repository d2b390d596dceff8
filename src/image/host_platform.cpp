#include <sys/utsname.h>

#include <bit>
#include <string>

#include "base/text.hpp"
#include "image/platform.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace udk::image {
namespace {

#if defined(__x86_64__)
struct CpuidWords {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

CpuidWords cpuid(unsigned leaf) {
  CpuidWords words;
  if (__get_cpuid_count(leaf, 0, &words.a, &words.b, &words.c, &words.d) == 0) return {};
  return words;
}

// XCR0 tells which register states the kernel saves: without that the instructions are not usable.
unsigned saved_states() {
  unsigned low = 0;
  unsigned high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Micro-architecture levels of the x86-64 psABI, table 3.1.
unsigned amd64_level() {
  constexpr unsigned k_osxsave = 1U << 27;
  constexpr unsigned k_c_v2 =
      1U << 0 | 1U << 9 | 1U << 13 | 1U << 19 | 1U << 20 | 1U << 23;                 // SSE3 SSSE3 CX16 SSE4 POPCNT
  constexpr unsigned k_c_v3 = 1U << 12 | 1U << 22 | 1U << 28 | 1U << 29;             // FMA MOVBE AVX F16C
  constexpr unsigned k_b_v3 = 1U << 3 | 1U << 5 | 1U << 8;                           // BMI1 AVX2 BMI2
  constexpr unsigned k_b_v4 = 1U << 16 | 1U << 17 | 1U << 28 | 1U << 30 | 1U << 31;  // AVX512 F DQ CD BW VL
  auto has = [](unsigned word, unsigned bits) { return (word & bits) == bits; };
  auto one = cpuid(1);
  auto seven = cpuid(7);
  auto extended = cpuid(0x80000001U);
  if (!has(one.c, k_c_v2) || !has(extended.c, 1U)) return 1;  // LAHF
  bool avx = has(one.c, k_osxsave) && has(saved_states(), 0x6);
  if (!avx || !has(one.c, k_c_v3) || !has(seven.b, k_b_v3) || !has(extended.c, 1U << 5)) return 2;  // LZCNT
  return has(saved_states(), 0xe6) && has(seven.b, k_b_v4) ? 4 : 3;
}
#else
unsigned amd64_level() { return 1; }
#endif

}  // namespace

Platform platform_of_machine(std::string_view machine, bool little_endian) {
  Platform out = Platform{"linux", std::string(machine), ""}.normalized();
  if (little_endian && (out.architecture == "mips" || out.architecture == "mips64" || out.architecture == "ppc64"))
    out.architecture += "le";
  return out;
}

Platform host_platform() {
  struct utsname name = {};
  if (::uname(&name) != 0) return {"linux", "", ""};
  return platform_of_machine(name.machine, std::endian::native == std::endian::little);
}

std::vector<Platform> host_platforms() {
  std::vector<Platform> out{host_platform()};
  if (out[0].architecture != "amd64") return out;
  for (unsigned level = 2; level <= amd64_level(); ++level)
    out.push_back({out[0].os, out[0].architecture, "v" + std::to_string(level)});
  out.push_back({out[0].os, "386", ""});
  return out;
}

}  // namespace udk::image
