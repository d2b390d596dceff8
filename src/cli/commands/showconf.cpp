#include "cli/commands/commands.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"

namespace udk::cli {
namespace {

// The frame and the Python notation are those of the Python tool: scripts cut the values out of these lines.
Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 0, 0, ""));
  const std::string rule(80, '-');
  std::string out = rule + "\n\t\tConfiguration options\n";
  for (const auto& [key, value] : session.config().values) out += fmt::format("{} = {}\n", key, value.str());
  put(out + rule + "\n");
  return k_exit_ok;
}

}  // namespace

const Command k_showconf{"showconf", "", "print the configuration in force", {}, Order::mixed, execute};

}  // namespace udk::cli
