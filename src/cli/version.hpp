#pragma once

#include <string_view>

namespace udk::cli {

// Follows project(VERSION) of CMakeLists.txt.
inline constexpr std::string_view k_version_text = UDOCKER_VERSION;

}  // namespace udk::cli
