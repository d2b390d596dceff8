#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace udk::cli {

enum class Echo { on, off };

// Asks on stderr and reads a line of stdin, without its end. Without echo a terminal does not show what is typed.
// Code::usage: the input has ended.
Result<std::string> ask(std::string_view question, Echo echo);
// All of stdin, without a line end at its end; at most 64 KiB.
Result<std::string> read_stdin();

}  // namespace udk::cli
