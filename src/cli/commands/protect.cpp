#include "base/log.hpp"
#include "cli/commands/commands.hpp"
#include "cli/lookup.hpp"
#include "cli/remedy.hpp"

namespace udk::cli {
namespace {

// A container, or else an image, gets the mark or loses it.
Result<> mark(store::Store& store, const std::string& word, store::Protection protection) {
  if (auto id = store.containers().resolve(word)) return store.containers().protect(*id, protection);
  auto entry = image_entry(store, word);
  if (entry) return store.images().protect(entry->name, protection);
  if (entry.error().code != Code::not_found) return fail(std::move(entry).error());
  return fail(Code::not_found, "no container and no image: " + word + " (see: udocker ps, udocker images)");
}

Result<int> mark_each(Session& session, const Arguments& arguments, store::Protection protection) {
  TRY(expect_words(arguments, 1, arguments.words.size(), "a container or an image"));
  TRY_ASSIGN(store::Store * store, session.store());
  int code = k_exit_ok;
  for (const auto& word : arguments.words) {
    if (auto done = mark(*store, word, protection); !done) {
      log::error("{}", text_with_remedy(done.error()));
      code = k_exit_failure;
    }
  }
  return code;
}

Result<int> execute_protect(Session& session, const Arguments& arguments) {
  return mark_each(session, arguments, store::Protection::on);
}

Result<int> execute_unprotect(Session& session, const Arguments& arguments) {
  return mark_each(session, arguments, store::Protection::off);
}

}  // namespace

const Command k_protect{"protect", "CONTAINER|IMAGE...", "guard containers and images against deletion",
                        {},        Order::mixed,         execute_protect};
const Command k_unprotect{"unprotect", "CONTAINER|IMAGE...", "end the protection of containers and images",
                          {},          Order::mixed,         execute_unprotect};

}  // namespace udk::cli
