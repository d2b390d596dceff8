#include <fcntl.h>

#include <array>

#include "base/log.hpp"
#include "cli/commands/commands.hpp"
#include "cli/lookup.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 2> k_options{{
    {"--force", Takes::nothing, "", "accepted: there is nothing to install", ""},
    {"--purge", Takes::nothing, "", "delete the engine files that the Python tool has installed", ""},
}};

// Files only: directories below bin, lib and doc are not the Python tool's.
Result<> remove_files(const std::string& path) {
  auto dir = open_dir(path);
  if (!dir) return dir.error().code == Code::not_found ? Result<>{} : fail(std::move(dir).error());
  TRY_ASSIGN(auto names, list_dir(dir->get()));
  for (const auto& name : names) {
    TRY_ASSIGN(auto status, lstat_at(dir->get(), name));
    if (!status || S_ISDIR(status->st_mode)) continue;
    if (auto done = unlink_at(dir->get(), name); !done) return fail(std::move(done).error().context("install --purge"));
  }
  return {};
}

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 0, 0, ""));
  TRY(session.store());
  if (arguments.has("purge")) {
    auto paths = session.paths();
    for (const auto& dir : {paths.bin, paths.lib, paths.doc}) TRY(remove_files(dir));
  }
  log::debug("all engines are inside the executable");
  return k_exit_ok;
}

}  // namespace

const Command k_install{"install", "", "nothing to do: all engines are inside", k_options, Order::mixed, execute};

}  // namespace udk::cli
