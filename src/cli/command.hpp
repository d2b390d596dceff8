#pragma once

#include <span>
#include <string_view>

#include "cli/option.hpp"

namespace udk::cli {

class Session;

// Exit codes of the Python tool.
constexpr int k_exit_ok = 0;
constexpr int k_exit_failure = 1;
constexpr int k_exit_preparation = 2;  // run: bad user, volume, command, container

// One command: what parses it, what explains it, what does it.
struct Command {
  std::string_view name;
  std::string_view words;    // the synopsis behind the options: "CONTAINER|IMAGE [COMMAND [ARG...]]"
  std::string_view summary;  // one line, for the list of commands
  std::span<const Option> options;
  Order order;
  // Does the work and returns the exit code. A returned error becomes one line on stderr and exit code 1.
  Result<int> (*execute)(Session&, const Arguments&);
};

// Every command, in the order of the help.
std::span<const Command> all_commands();
const Command* find_command(std::string_view name);
// Options that stand before the command.
std::span<const Option> general_options();

}  // namespace udk::cli
