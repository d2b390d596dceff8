#include "transfer/export.hpp"

#include <unistd.h>

#include <array>

#include "base/log.hpp"
#include "cli/commands/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/lookup.hpp"
#include "transfer/output.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 2> k_options{{
    {"-o,--output", Takes::one_value, "FILE", "archive to make; - is standard output", "standard output"},
    {"--clone", Takes::nothing, "", "the container's whole directory, for import --clone", ""},
}};

using Export = Result<> (*)(const store::Store&, const std::string&, int, const transfer::Cancelled&);

Result<> export_to_file(const store::Store& store, const std::string& id, const std::string& path, Export write) {
  TRY_ASSIGN(auto file, transfer::OutputFile::open(path, transfer::Existing::replace));
  log::info("exporting to file {}", path);
  TRY(write(store, id, file.fd(), interrupted));
  return file.publish();
}

Result<> export_to_stdout(const store::Store& store, const std::string& id, Export write) {
  TRY(transfer::check_no_terminal(STDOUT_FILENO));
  return write(store, id, STDOUT_FILENO, interrupted);
}

Result<int> execute(Session& session, const Arguments& arguments) {
  auto words = arguments.words;
  const std::string path = arguments.value_or("output", "-");
  if (path.empty()) return fail(Code::usage, "must specify filename of the archive" + help_hint("export"));
  if (words.size() > 1 && words.front() == "-" && path == "-") words.erase(words.begin());
  if (words.empty()) return fail(Code::usage, "must specify a container id or name" + help_hint("export"));
  if (words.size() > 1) return fail(Code::usage, "syntax error at: " + words[1] + help_hint("export"));
  TRY_ASSIGN(store::Store * store, session.store());
  TRY_ASSIGN(auto id, container_id(*store, words[0], "invalid container id"));
  const Export write = arguments.has("clone") ? transfer::export_clone : transfer::export_tree;
  const InterruptScope interruptible;
  auto done = path == "-" ? export_to_stdout(*store, id, write) : export_to_file(*store, id, path, write);
  if (!done) return fail(std::move(done).error().context("exporting"));
  return k_exit_ok;
}

}  // namespace

const Command k_export{"export",  "[-] CONTAINER", "write a container's tree to an archive",
                       k_options, Order::mixed,    execute};

}  // namespace udk::cli
