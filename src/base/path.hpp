#pragma once

#include <string>
#include <string_view>
#include <vector>

// Pure text work on paths, nothing is looked up.
namespace udk {

// "a" + "b" -> "a/b"; one slash in between; an empty part is left out.
std::string path_join(std::string_view a, std::string_view b);
// The words between slashes; empty ones and "." are dropped, ".." is kept.
std::vector<std::string_view> path_split(std::string_view path);
// Without doubled and trailing slashes and "."; ".." is applied textually and never leaves "/". Absolute input only.
std::string path_normalize(std::string_view path);
std::string_view path_basename(std::string_view path);
std::string_view path_dirname(std::string_view path);
// Component-wise: "/data" is a prefix of "/data/x" and "/data", not of "/database".
bool path_has_prefix(std::string_view path, std::string_view prefix);

}  // namespace udk
