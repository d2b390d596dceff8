#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace udk::cli {

// The mode's name in upper case. Code::usage unless it is one of P1 P2 F1 F2 F3 F4 R1 R2 R3 S1.
Result<std::string> parse_mode(std::string_view text);
// Code::unsupported for a mode that this version has no engine for.
Result<> check_available(const std::string& mode);

}  // namespace udk::cli
