#include "transfer/clone.hpp"

#include <array>

#include "cli/commands/commands.hpp"
#include "cli/create.hpp"
#include "cli/interrupt.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 1> k_options{{
    {"--name", Takes::one_value, "NAME", "give the copy this name", ""},
}};

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 1, 1, "a container id or name"));
  TRY_ASSIGN(store::Store * store, session.store());
  TRY_ASSIGN(auto id, container_id(*store, arguments.words[0], "invalid container id"));
  const auto alias = arguments.value_or("name", "");
  TRY(check_new_alias(*store, alias));
  const InterruptScope interruptible;
  auto copy = transfer::clone_container(*store, id, alias, interrupted);
  if (!copy) return fail(std::move(copy).error().context("cloning"));
  put_line("{}", *copy);
  return k_exit_ok;
}

}  // namespace

const Command k_clone{"clone", "CONTAINER", "make a copy of a container", k_options, Order::mixed, execute};

}  // namespace udk::cli
