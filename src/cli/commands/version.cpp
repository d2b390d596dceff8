#include "cli/version.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/format.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 1> k_options{{k_format_option}};

// The keys of the Python tool, whose "tarball" held the engines: ours are inside.
Result<int> execute(Session&, const Arguments& arguments) {
  TRY(expect_words(arguments, 0, 0, ""));
  TRY_ASSIGN(const auto format, Format::asked(arguments));
  if (format) {
    TRY_ASSIGN(const auto line, format->line({{"Client", {{"Version", k_version_text}, {"Os", "linux"}}}}));
    put(line);
    return k_exit_ok;
  }
  put_line("version: {}\ntarball: none\ntarball_release: none", k_version_text);
  return k_exit_ok;
}

}  // namespace

const Command k_version{"version", "", "print the version", k_options, Order::mixed, execute};

}  // namespace udk::cli
