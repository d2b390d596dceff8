#include <fcntl.h>

#include "base/file.hpp"
#include "cli/commands/commands.hpp"
#include "cli/lookup.hpp"

namespace udk::cli {
namespace {

Result<int> execute(Session&, const Arguments& arguments) {
  TRY(expect_words(arguments, 1, 1, "a directory"));
  const auto& dir = arguments.words[0];
  if (dir.empty()) return fail(Code::usage, "must specify a directory");
  TRY_ASSIGN(const auto there, lstat_at(AT_FDCWD, dir));
  if (there) return fail(Code::exists, "localrepo directory already exists: " + dir);
  if (auto made = store::create_new_repository(dir); !made)
    return fail(std::move(made).error().context("localrepo creation failure"));
  return k_exit_ok;
}

}  // namespace

const Command k_mkrepo{"mkrepo", "DIR",        "make a local repository in a new directory, for --repo=DIR",
                       {},       Order::mixed, execute};

}  // namespace udk::cli
