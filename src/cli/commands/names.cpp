#include "base/log.hpp"
#include "cli/commands/commands.hpp"
#include "cli/lookup.hpp"

namespace udk::cli {
namespace {

// The reasons of the store in the words of the Python tool.
Error named(Error error, std::string_view taken, const std::string& name) {
  if (error.code == Code::exists) error.text = std::string(taken) + ": " + name;
  if (error.code == Code::usage) error.text = "invalid container name: " + error.text;
  return error;
}

Result<int> execute_name(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 2, 2, "a container and a name"));
  TRY_ASSIGN(store::Store * store, session.store());
  TRY_ASSIGN(auto id, container_id(*store, arguments.words[0], "invalid container id or name"));
  auto done = store->containers().add_alias(id, arguments.words[1]);
  if (!done) return fail(named(std::move(done).error(), "container name already exists", arguments.words[1]));
  return k_exit_ok;
}

Result<int> execute_rename(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 2, 2, "the old and the new name"));
  TRY_ASSIGN(store::Store * store, session.store());
  TRY(container_id(*store, arguments.words[0], "container does not exist"));
  auto done = store->containers().rename_alias(arguments.words[0], arguments.words[1]);
  if (!done) return fail(named(std::move(done).error(), "new name already exists", arguments.words[1]));
  return k_exit_ok;
}

Result<int> execute_rmname(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 1, 1, "a container name"));
  TRY_ASSIGN(store::Store * store, session.store());
  const auto& name = arguments.words[0];
  auto done = store->containers().remove_alias(name);
  if (!done && done.error().code == Code::not_found) {
    return fail(Code::not_found, "invalid container id or name: " + name + " (see: udocker ps)");
  }
  if (!done) return fail(std::move(done).error().context("removing container name"));
  log::line(log::Level::message, "Info: container name: " + name + " removed.");
  return k_exit_ok;
}

}  // namespace

const Command k_name{"name", "CONTAINER NAME", "give a name to a container", {}, Order::mixed, execute_name};
const Command k_rename{"rename", "NAME NEWNAME", "change a name of a container", {}, Order::mixed, execute_rename};
const Command k_rmname{"rmname", "NAME", "remove a name of a container", {}, Order::mixed, execute_rmname};

}  // namespace udk::cli
