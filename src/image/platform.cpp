#include "image/platform.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"

namespace udk::image {
namespace {

using Alias = std::pair<std::string_view, std::string_view>;

// Names of architectures as people and uname(2) write them; containerd's platforms package knows the same.
constexpr std::array<Alias, 14> k_aliases{{{"x86_64", "amd64"},
                                           {"x86-64", "amd64"},
                                           {"i386", "386"},
                                           {"i486", "386"},
                                           {"i586", "386"},
                                           {"i686", "386"},
                                           {"x86", "386"},
                                           {"aarch64", "arm64"},
                                           {"armv8", "arm64"},
                                           {"powerpc64le", "ppc64le"},
                                           {"ppc64el", "ppc64le"},
                                           {"loongarch64", "loong64"},
                                           {"mipsel", "mipsle"},
                                           {"mips64el", "mips64le"}}};
constexpr std::array<std::string_view, 18> k_architectures{
    "386",   "amd64",   "arm",     "arm64", "loong64", "mips", "mipsle", "mips64", "mips64le",
    "ppc64", "ppc64le", "riscv64", "s390x", "sparc64", "wasm", "ppc",    "alpha",  "hppa"};

std::string_view resolved(std::string_view name) {
  const auto* found =
      std::find_if(k_aliases.begin(), k_aliases.end(), [&](const Alias& alias) { return alias.first == name; });
  return found == k_aliases.end() ? name : found->second;
}

bool is_architecture(std::string_view name) {
  auto known = [&](std::string_view n) {
    return std::find(k_architectures.begin(), k_architectures.end(), n) != k_architectures.end();
  };
  return known(resolved(name)) || name == "armhf" || name == "armel" ||
         (name.substr(0, 4) == "armv" && name.size() > 4);
}

// "v7" -> 7; "" and everything else -> 0
unsigned level_of(std::string_view variant) {
  if (variant.size() != 2 || variant[0] != 'v' || variant[1] < '1' || variant[1] > '9') return 0;
  return static_cast<unsigned>(variant[1] - '0');
}

// Behind every offer that names its system and architecture.
constexpr std::size_t k_open_rank = 16;

// The variant that a name without one stands for, as a number; 0: this architecture has none.
unsigned base_level(std::string_view architecture) {
  if (architecture == "amd64") return 1;
  if (architecture == "arm") return 7;
  if (architecture == "arm64") return 8;
  return 0;
}

// Parts both sides name must be equal; a part that one side leaves open matches.
bool agrees(std::string_view a, std::string_view b) { return a.empty() || b.empty() || a == b; }

bool is_platform_word(std::string_view word) {
  return !word.empty() && word.size() <= 64 && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

}  // namespace

Result<Platform> Platform::parse(std::string_view text, const Platform& host) {
  std::string lower = to_lower(trim(text));
  auto words = split(lower, '/');
  bool good = words.size() <= 3 && std::all_of(words.begin(), words.end(), is_platform_word);
  if (!good)
    return fail(Code::usage,
                "invalid platform '" + printable(text.substr(0, 100)) + "' (os/architecture[/variant] expected)");
  Platform out{std::string(words[0]), "", ""};
  if (words.size() == 1) {
    if (is_architecture(words[0])) {
      out.os = host.os;
      out.architecture = words[0];
    } else {
      out.architecture = host.architecture;
      out.variant = host.variant;
    }
  } else {
    out.architecture = words[1];
    if (words.size() == 3) out.variant = words[2];
  }
  return out.normalized();
}

Platform Platform::normalized() const {
  Platform out{to_lower(os), to_lower(architecture), to_lower(variant)};
  if (out.os == "macos") out.os = "darwin";
  if (out.architecture == "armhf") out = {out.os, "arm", "v7"};
  if (out.architecture == "armel") out = {out.os, "arm", "v6"};
  if (out.architecture.substr(0, 4) == "armv" && out.architecture.size() >= 5 && out.architecture[4] < '8')
    out = {out.os, "arm", out.architecture.substr(3, 2)};
  out.architecture = resolved(out.architecture);
  // "8" is written for "v8" now and then; "v8" of arm64 and "v1" of amd64 say nothing more than the architecture.
  if (out.variant.size() == 1 && out.variant[0] >= '1' && out.variant[0] <= '9') out.variant.insert(0, "v");
  if (out.architecture == "arm64" && out.variant == "v8") out.variant.clear();
  if (out.architecture == "amd64" && out.variant == "v1") out.variant.clear();
  return out;
}

std::string Platform::text() const {
  std::string out = (os.empty() ? "unknown" : os) + "/" + (architecture.empty() ? "unknown" : architecture);
  return variant.empty() ? out : out + "/" + variant;
}

std::optional<std::size_t> platform_rank(const Platform& offered, const Platform& wanted) {
  Platform offer = offered.normalized();
  Platform want = wanted.normalized();
  if (!agrees(offer.os, want.os) || !agrees(offer.architecture, want.architecture)) return std::nullopt;
  if (offer.os.empty() || offer.architecture.empty()) return k_open_rank;
  if (offer.variant == want.variant) return 0;
  auto base = base_level(offer.architecture);
  auto offer_level = offer.variant.empty() ? base : level_of(offer.variant);
  auto want_level = want.variant.empty() ? base : level_of(want.variant);
  // Variants without an order ("v9.1", "power9"): only what is the same or left open.
  if (offer_level == 0 || want_level == 0) {
    if (offer.variant.empty()) return 1;
    return want.variant.empty() ? std::optional<std::size_t>(2) : std::nullopt;
  }
  if (offer_level > want_level) return std::nullopt;
  return want_level - offer_level;
}

}  // namespace udk::image
