#include "cli/create.hpp"

#include <array>

#include "cli/commands/commands.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 2> k_options{{
    {"--name", Takes::one_value, "NAME", "give the container this name", ""},
    {"--force", Takes::nothing, "", "create it without a name if the name is taken", ""},
}};

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 1, 1, "image:tag or repository/image:tag"));
  TRY_ASSIGN(store::Store * store, session.store());
  TRY_ASSIGN(auto entry, image_entry(*store, arguments.words[0]));
  const auto if_taken = arguments.has("force") ? IfNameTaken::leave_unnamed : IfNameTaken::fail;
  TRY_ASSIGN(auto id, create_container(session, entry.name, arguments.value_or("name", ""), if_taken));
  put_line("{}", id);
  return k_exit_ok;
}

}  // namespace

const Command k_create{"create", "IMAGE", "make a container of a local image", k_options, Order::mixed, execute};

}  // namespace udk::cli
