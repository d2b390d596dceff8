#include "cli/execution_mode.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace udk::cli {
namespace {

constexpr std::array<std::string_view, 10> k_modes{"P1", "P2", "F1", "F2", "F3", "F4", "R1", "R2", "R3", "S1"};
constexpr std::array<std::string_view, 2> k_available{"P1", "P2"};

template <class List>
bool contains(const List& list, std::string_view mode) {
  return std::find(list.begin(), list.end(), mode) != list.end();
}

}  // namespace

Result<std::string> parse_mode(std::string_view text) {
  auto mode = to_upper(text);
  if (contains(k_modes, mode)) return mode;
  return fail(Code::usage, "invalid execmode: " + std::string(text) + " (P1 P2 F1 F2 F3 F4 R1 R2 R3 S1)");
}

Result<> check_available(const std::string& mode) {
  if (contains(k_available, mode)) return {};
  return fail(Code::unsupported,
              "mode " + mode + " is not available in this version (setup --execmode=P1 sets one that is)");
}

}  // namespace udk::cli
