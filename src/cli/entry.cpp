#include "cli/entry.hpp"

#include <unistd.h>

#include "base/log.hpp"
#include "cli/command.hpp"
#include "cli/help.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"
#include "cli/remedy.hpp"
#include "cli/session.hpp"
#include "cli/suggestion.hpp"

namespace udk::cli {
namespace {

int report(const Error& error) {
  log::error("{}", text_with_remedy(error));
  return k_exit_failure;
}

bool wants_help(const Command& command, const Arguments& arguments) {
  return arguments.has("help") && command.name != "help";
}

Result<Arguments> parse(std::span<const Option> table, Order order, std::span<const std::string> words,
                        std::string_view command) {
  auto arguments = parse_arguments(table, order, words);
  if (!arguments) return fail(arguments.error().code, arguments.error().text + help_hint(command));
  arguments->command = command;
  return arguments;
}

Error unknown_command(const std::string& name) {
  std::vector<std::string_view> names;
  for (const auto& command : all_commands()) names.push_back(command.name);
  return {Code::usage, "invalid command: " + name + did_you_mean(name, names) + help_hint("")};
}

// The options of a command and --help, which each has.
std::vector<Option> with_help(const Command& command) {
  std::vector<Option> options(command.options.begin(), command.options.end());
  options.push_back({"--help", Takes::nothing, "", "this text", ""});
  return options;
}

Result<int> execute(const Arguments& general, const Command& command, std::span<const std::string> tail) {
  TRY_ASSIGN(Session session, Session::start(general));
  TRY_ASSIGN(Arguments arguments, parse(with_help(command), command.order, tail, command.name));
  if (wants_help(command, arguments)) {
    put(command_help(command));
    return k_exit_ok;
  }
  return command.execute(session, arguments);
}

}  // namespace

int entry(const std::vector<std::string>& words) {
  auto general = parse(general_options(), Order::options_first, words, "");
  if (!general) return report(general.error());
  if (::geteuid() == 0 && !general->has("allow-root")) {
    return report({Code::usage, "do not run as root ! (--allow-root permits it)"});
  }
  std::vector<std::string> tail = std::move(general->words);
  std::string name = general->has("version") ? "version" : "help";
  if (!tail.empty() && !general->has("version")) {
    name = general->has("help") ? "help" : tail.front();
    if (!general->has("help")) tail.erase(tail.begin());
  }
  const Command* command = find_command(name);
  if (!command) return report(unknown_command(name));
  auto code = execute(*general, *command, tail);
  if (!code) return report(code.error());
  if (output_failed() && *code == k_exit_ok) return report({Code::io, "cannot write to standard output"});
  return *code;
}

}  // namespace udk::cli
