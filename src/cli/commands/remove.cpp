#include <array>

#include "base/log.hpp"
#include "cli/commands/commands.hpp"
#include "cli/lookup.hpp"
#include "cli/remedy.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 1> k_rm_options{{
    {"-f,--force", Takes::nothing, "", "whatever the permissions in the container are, and also while it runs", ""},
}};
constexpr std::array<Option, 1> k_rmi_options{{
    {"-f,--force", Takes::nothing, "", "go on where a part cannot be removed", ""},
}};

store::Removal removal_of(const Arguments& arguments) {
  return arguments.has("force") ? store::Removal::force : store::Removal::normal;
}

bool is_protected(const Error& error) { return error.code == Code::denied && error.sys_errno == 0; }

Result<> remove_container(store::Store& store, const std::string& word, store::Removal removal) {
  TRY_ASSIGN(auto id, container_id(store, word, "invalid container id"));
  log::info("deleting container: {}", id);
  auto done = store.containers().remove(id, removal);
  if (done) return {};
  if (is_protected(done.error())) {
    return fail(Code::denied, "container is protected: " + word + " (udocker unprotect removes the mark)");
  }
  return fail(std::move(done).error().context("deleting container"));
}

Result<> remove_image(store::Store& store, const std::string& word, store::Removal removal) {
  TRY_ASSIGN(auto entry, image_entry(store, word));
  log::info("deleting image: {}", word);
  auto done = store.images().remove(entry.name, removal);
  if (done) return {};
  if (is_protected(done.error())) {
    return fail(Code::denied, "image repository is protected: " + word + " (udocker unprotect removes the mark)");
  }
  return fail(std::move(done).error().context("deleting image"));
}

// All of them, one line per failure.
template <class Remove>
Result<int> remove_each(Session& session, const Arguments& arguments, Remove remove) {
  TRY_ASSIGN(store::Store * store, session.store());
  int code = k_exit_ok;
  for (const auto& word : arguments.words) {
    auto done = remove(*store, word, removal_of(arguments));
    if (done) continue;
    log::error("{}", text_with_remedy(done.error()));
    code = k_exit_failure;
  }
  return code;
}

Result<int> execute_rm(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 1, arguments.words.size(), "a container id or name"));
  return remove_each(session, arguments, remove_container);
}

Result<int> execute_rmi(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 1, arguments.words.size(), "image:tag or repository/image:tag"));
  return remove_each(session, arguments, remove_image);
}

}  // namespace

const Command k_rm{"rm", "CONTAINER...", "delete containers", k_rm_options, Order::mixed, execute_rm};
const Command k_rmi{"rmi", "IMAGE...", "delete images", k_rmi_options, Order::mixed, execute_rmi};

}  // namespace udk::cli
