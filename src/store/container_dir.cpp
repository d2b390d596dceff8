#include "store/container_dir.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "store/dir_entries.hpp"
#include "store/names.hpp"

namespace udk::store {
namespace {

bool is_directory(const std::string& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

// A directory can only be moved to another one by somebody who may write in it.
void make_movable(const std::string& path) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & S_IRWXU) != S_IRWXU)
    (void)::chmod(path.c_str(), (st.st_mode & 07777U) | S_IRWXU);
}

void remove_aliases(const Context& context, const std::string& id) {
  auto aliases = aliases_of(context, id);
  if (!aliases) return;
  for (const auto& alias : *aliases) (void)unlink_at(AT_FDCWD, path_join(context.paths.containers, alias));
}

// A directory that was being made or deleted by a process that is dead; nullopt: it is alive.
std::optional<std::string> id_of_leftover(const Context& context, const std::string& name) {
  constexpr std::string_view draft = "draft-", trash = "trash-";
  if (name.starts_with(trash)) return name.substr(trash.size());
  if (!name.starts_with(draft)) return std::nullopt;
  Waiting no_wait{std::chrono::milliseconds(0), {}};
  auto lock = Lock::acquire(context.state.containers, name + ".lock", LockMode::exclusive, no_wait, name);
  if (!lock) return std::nullopt;
  return name.substr(draft.size());
}

}  // namespace

Result<Lock> lock_containers(const Context& context) {
  return Lock::acquire(context.state.containers, "lock", LockMode::exclusive, context.waiting,
                       "the container directory " + context.paths.containers);
}

std::string container_dir(const Context& context, const std::string& id) {
  return path_join(context.paths.containers, id);
}

Result<> check_container(const Context& context, const std::string& id) {
  if (is_file_name(id) && id.front() != '.' && is_directory(container_dir(context, id))) return {};
  return fail(Code::not_found, "container '" + printable(id.substr(0, 300)) + "' does not exist");
}

std::string use_lock_name(const std::string& id) { return "use-" + id + ".lock"; }

std::string target_of_alias(const Context& context, const std::string& alias) {
  if (!is_file_name(alias)) return "";
  auto target = readlink_at(AT_FDCWD, path_join(context.paths.containers, alias));
  return target ? std::string(path_basename(*target)) : "";
}

Result<std::vector<std::string>> aliases_of(const Context& context, const std::string& id) {
  TRY_ASSIGN(auto entries, dir_entries(context.paths.containers));
  std::vector<std::string> out;
  for (auto& entry : entries) {
    if (entry.type == EntryType::link && target_of_alias(context, entry.name) == id)
      out.push_back(std::move(entry.name));
  }
  return out;
}

Result<> free_alias(const Context& context, const std::string& alias) {
  std::string path = path_join(context.paths.containers, alias);
  // A link to nothing is what is left of a container; its name is free.
  std::string target = target_of_alias(context, alias);
  if (!target.empty() && !is_directory(container_dir(context, target))) return unlink_at(AT_FDCWD, path);
  TRY_ASSIGN(auto there, lstat_at(AT_FDCWD, path));
  if (!there) return {};
  return fail(Code::exists, "container name '" + alias + "' is taken: choose another or remove it with rmname");
}

Result<> make_alias(const Context& context, const std::string& id, const std::string& alias) {
  TRY(check_alias(alias));
  TRY(free_alias(context, alias));
  return symlink_at(id, AT_FDCWD, path_join(context.paths.containers, alias));
}

Result<std::string> move_to_trash(const Context& context, const std::string& id, Removal removal) {
  std::string dir = container_dir(context, id);
  std::string trash = path_join(context.state.containers, "trash-" + id);
  if (exists(trash)) TRY(rename_at(AT_FDCWD, trash, AT_FDCWD, trash + "." + random_hex(4)));
  if (removal != Removal::normal) make_movable(dir);
  auto moved = rename_at(AT_FDCWD, dir, AT_FDCWD, trash);
  if (!moved) return fail(std::move(moved).error().context("cannot remove container " + id));
  remove_aliases(context, id);
  return trash;
}

Result<> empty_trash(const Context& context, const std::string& path) {
  auto gone = remove_tree_at(AT_FDCWD, path, Modes::force);
  drop_state_dir(context);
  return gone;
}

void drop_state_dir(const Context& context) {
  if (path_has_prefix(context.state.containers, context.paths.containers))
    (void)::rmdir(context.state.containers.c_str());
}

void sweep_containers(const Context& context) {
  auto entries = dir_entries(context.state.containers);
  if (!entries) return;
  std::vector<std::string> rubbish;
  {
    auto lock = lock_containers(context);
    if (!lock) return;
    for (const auto& entry : *entries) {
      std::string path = path_join(context.state.containers, entry.name);
      if (entry.name.starts_with("tmp-")) (void)unlink_at(AT_FDCWD, path);
      if (entry.type != EntryType::directory) continue;
      auto id = id_of_leftover(context, entry.name);
      if (!id) continue;
      // It died between giving the name and moving the directory, or the other way round.
      if (!is_directory(container_dir(context, *id))) remove_aliases(context, *id);
      rubbish.push_back(path);
    }
    Lock::sweep(context.state.containers);
  }
  for (const auto& path : rubbish) (void)empty_trash(context, path);
}

}  // namespace udk::store
