#include "cli/help.hpp"

#include "cli/commands/commands.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"

namespace udk::cli {
namespace {

Result<int> execute(Session&, const Arguments& arguments) {
  TRY(expect_words(arguments, 0, 1, ""));
  if (arguments.words.empty()) {
    put(general_help());
    return k_exit_ok;
  }
  const Command* command = find_command(arguments.words[0]);
  if (!command) return fail(Code::usage, "invalid command: " + arguments.words[0] + ", see: udocker help");
  put(command_help(*command));
  return k_exit_ok;
}

}  // namespace

const Command k_help{"help", "[COMMAND]", "explain the commands, or one of them", {}, Order::mixed, execute};

}  // namespace udk::cli
