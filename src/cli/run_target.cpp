#include "cli/run_target.hpp"

#include <algorithm>
#include <array>

#include "cli/create.hpp"
#include "cli/pull.hpp"

namespace udk::cli {
namespace {

constexpr std::array<std::string_view, 4> k_pull_rules{"missing", "never", "always", "reuse"};

struct Wish {
  std::string what;  // container or image
  std::string name;  // --name
  std::string pull;  // --pull
};

Result<Wish> wish_of(const Arguments& arguments) {
  Wish wish{arguments.words.empty() ? "" : arguments.words[0], arguments.value_or("name", ""),
            arguments.value_or("pull", "missing")};
  if (std::find(k_pull_rules.begin(), k_pull_rules.end(), wish.pull) == k_pull_rules.end()) {
    return fail(Code::usage, "invalid value for --pull: " + wish.pull + " (missing, never, always or reuse)");
  }
  if (wish.what.empty()) return fail(Code::usage, "must specify container_id or image:tag");
  return wish;
}

// An existing container gets the name too; one that it has already is fine.
Result<RunTarget> existing(store::Store& store, const std::string& id, const std::string& name) {
  if (name.empty()) return RunTarget{id, Made::nothing};
  if (auto owner = store.containers().resolve(name); owner && *owner == id) return RunTarget{id, Made::nothing};
  auto done = store.containers().add_alias(id, name);
  if (done) return RunTarget{id, Made::name};
  return fail(done.error().code, "invalid container name: " +
                                     (done.error().code == Code::exists ? name + " is taken" : done.error().text));
}

Result<store::ImageName> find_image(Session& session, store::Store& store, const Arguments& arguments,
                                    const Wish& wish) {
  if (wish.pull != "always") {
    auto entry = store.images().find(wish.what);
    if (entry) return entry->name;
    if (entry.error().code != Code::not_found) return fail(std::move(entry).error());
  }
  if (wish.pull == "never") {
    return fail(Code::not_found, "container id or name not found: " + wish.what +
                                     ", and no local image has this name; pull it first, or run without --pull=never");
  }
  auto pulled = pull_image(session, wish.what, pull_options(arguments));
  if (!pulled) return fail(std::move(pulled).error().context("image or container not available"));
  return pulled;
}

}  // namespace

Result<RunTarget> select_target(Session& session, const Arguments& arguments) {
  TRY_ASSIGN(Wish wish, wish_of(arguments));
  TRY_ASSIGN(store::Store * store, session.store());
  if (wish.pull == "reuse" && !wish.name.empty()) {
    if (auto id = store->containers().resolve(wish.name)) return RunTarget{*id, Made::nothing};
  }
  if (auto id = store->containers().resolve(wish.what)) return existing(*store, *id, wish.name);
  TRY_ASSIGN(auto image, find_image(session, *store, arguments, wish));
  TRY_ASSIGN(auto id, create_container(session, image, wish.name));
  return RunTarget{id, Made::container};
}

}  // namespace udk::cli
