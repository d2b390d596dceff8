#pragma once

#include <string>

#include "cli/command.hpp"

namespace udk::cli {

// What `udocker --help` and `udocker COMMAND --help` print, made from the option tables.
std::string general_help();
std::string command_help(const Command& command);

}  // namespace udk::cli
