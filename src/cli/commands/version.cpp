#include "cli/version.hpp"
#include "cli/commands/commands.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"

namespace udk::cli {
namespace {

// The keys of the Python tool, whose "tarball" held the engines: ours are inside.
Result<int> execute(Session&, const Arguments& arguments) {
  TRY(expect_words(arguments, 0, 0, ""));
  put_line("version: {}\ntarball: none\ntarball_release: none", k_version_text);
  return k_exit_ok;
}

}  // namespace

const Command k_version{"version", "", "print the version", {}, Order::mixed, execute};

}  // namespace udk::cli
