#include "transfer/load.hpp"

#include <array>

#include "base/text.hpp"
#include "cli/commands/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 1> k_options{{
    {"-i,--input", Takes::one_value, "FILE", "archive, or directory of an OCI layout; - is standard input",
     "standard input"},
}};

// Where to read, and NAME: `load [-i FILE] [-] [NAME]`.
Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 0, 2, ""));
  auto words = arguments.words;
  std::string path = arguments.value_or("input", "-");
  if (path.empty()) return fail(Code::usage, "must specify filename of the archive" + help_hint("load"));
  if (!words.empty() && words.front() == "-" && !arguments.has("input")) words.erase(words.begin());
  if (words.size() > 1) return fail(Code::usage, "syntax error at: " + words.back() + help_hint("load"));
  transfer::LoadOptions options;
  if (!words.empty()) options.name = words.front();
  options.limits = session.config().limits;
  options.cancelled = interrupted;
  TRY_ASSIGN(store::Store * store, session.store());
  const InterruptScope interruptible;
  auto names = transfer::load_images(*store, path, options);
  if (!names) return fail(std::move(names).error().context("load failed"));
  for (const auto& name : *names) put_line("{}", printable(name.text()));
  return k_exit_ok;
}

}  // namespace

const Command k_load{"load",    "[-] [NAME]", "read images from an archive of docker save or OCI",
                     k_options, Order::mixed, execute};

}  // namespace udk::cli
