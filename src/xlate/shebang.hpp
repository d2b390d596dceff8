#pragma once

#include <cstddef>
#include <string_view>

#include "xlate/fixed_path.hpp"

// The first line of a script as execve(2) reads it.
namespace udk::xlate {

struct Shebang {
  std::string_view interpreter;
  std::string_view argument;  // the rest of the line as one word; empty: none
  bool valid = false;
};

// As much of a script's beginning as Linux looks at (BINPRM_BUF_SIZE).
inline constexpr std::size_t k_shebang_size = 256;
// How often an interpreter may itself be a script before execve says ELOOP.
inline constexpr unsigned k_shebang_depth = 4;

// `start`: the first bytes of a file (at most k_shebang_size are looked at) that begin with "#!". Not valid: ENOEXEC
// (no interpreter named, or its name is cut off at the end of what Linux looks at).
constexpr Shebang parse_shebang(std::string_view start) {
  const bool cut = start.size() >= k_shebang_size;
  if (cut) start = head(start, k_shebang_size);
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  std::size_t end = 2;
  while (end < start.size() && start[end] != '\n' && start[end] != '\0') ++end;
  const bool whole_line = end < start.size() || !cut;
  std::size_t at = 2;
  while (at < end && blank(start[at])) ++at;
  const std::size_t name = at;
  while (at < end && !blank(start[at])) ++at;
  if (at == name || (at == end && !whole_line)) return {};
  Shebang out{head(tail(start, name), at - name), {}, true};
  while (at < end && blank(start[at])) ++at;
  while (end > at && blank(start[end - 1])) --end;
  out.argument = head(tail(start, at), end - at);
  return out;
}

}  // namespace udk::xlate
