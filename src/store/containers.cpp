#include "store/containers.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "archive/owner_record.hpp"
#include "base/file.hpp"
#include "base/path.hpp"
#include "base/text.hpp"
#include "image/image_config.hpp"
#include "store/container_dir.hpp"
#include "store/container_tree.hpp"
#include "store/dir_entries.hpp"
#include "store/names.hpp"
#include "store/owners_file.hpp"
#include "store/state_file.hpp"

namespace udk::store {
namespace {

constexpr std::size_t k_max_small = 65536;
constexpr std::size_t k_max_owners = std::size_t{1} << 30;

RootState root_state_of(const std::string& root) {
  struct stat st {};
  if (::stat(root.c_str(), &st) != 0) return RootState::missing;
  if (!S_ISDIR(st.st_mode)) return RootState::not_a_directory;
  return ::access(root.c_str(), W_OK) == 0 ? RootState::writable : RootState::read_only;
}

// There is no file of a lock on it: nobody holds one.
bool is_surely_unused(const Context& context, const std::string& id) {
  auto entries = dir_entries(context.state.containers);
  const std::string lock = use_lock_name(id);
  return entries && std::none_of(entries->begin(), entries->end(),
                                 [&](const DirEntry& entry) { return entry.name.starts_with(lock); });
}

ContainerEntry read_entry(const Context& context, const std::string& id) {
  ContainerEntry out;
  out.id = id;
  out.dir = container_dir(context, id);
  if (auto image = read_file(path_join(out.dir, "imagerepo.name"), k_max_small)) out.image = *image;
  out.protection = exists(path_join(out.dir, "PROTECT")) ? Protection::on : Protection::off;
  out.root_state = root_state_of(path_join(out.dir, "ROOT"));
  out.has_metadata = ::access(path_join(out.dir, "container.json").c_str(), R_OK) == 0;
  return out;
}

std::optional<std::string> small_file(const std::string& path) {
  auto text = read_file(path, k_max_small);
  if (!text || trim(*text).empty()) return std::nullopt;
  return std::string(trim(*text));
}

}  // namespace

std::string Containers::dir(const std::string& id) const { return container_dir(*context_, id); }
std::string Containers::root(const std::string& id) const { return path_join(dir(id), "ROOT"); }

Result<std::vector<ContainerEntry>> Containers::list() const {
  TRY_ASSIGN(auto entries, dir_entries(context_->paths.containers));
  std::map<std::string, std::vector<std::string>> aliases;
  std::vector<ContainerEntry> out;
  for (const auto& entry : entries) {
    if (entry.type == EntryType::link)
      aliases[target_of_alias(*context_, entry.name)].push_back(entry.name);
    else if (entry.type == EntryType::directory && entry.name.front() != '.')
      out.push_back(read_entry(*context_, entry.name));
  }
  for (auto& container : out) {
    if (auto found = aliases.find(container.id); found != aliases.end()) container.aliases = std::move(found->second);
  }
  return out;
}

Result<ContainerEntry> Containers::entry(const std::string& id) const {
  TRY(check_container(*context_, id));
  ContainerEntry out = read_entry(*context_, id);
  TRY_ASSIGN(out.aliases, aliases_of(*context_, id));
  return out;
}

Result<std::string> Containers::resolve(const std::string& id_or_alias) const {
  std::string target = target_of_alias(*context_, id_or_alias);
  std::string id = target.empty() ? id_or_alias : target;
  if (auto there = check_container(*context_, id); !there)
    return fail(Code::not_found, "container '" + printable(id_or_alias.substr(0, 300)) + "' does not exist");
  return id;
}

Result<std::string> Containers::config(const std::string& id) const {
  TRY(check_container(*context_, id));
  constexpr std::size_t limit = std::size_t{16} << 20;
  auto text = read_file(path_join(dir(id), "container.json"), limit);
  if (!text) return fail(std::move(text).error().context("metadata of container " + id));
  return text;
}

std::string Containers::platform(const std::string& id) const {
  auto text = config(id);
  if (!text) return "unknown/unknown";
  auto parsed = image::ImageConfig::parse(std::move(*text));
  return parsed ? parsed->platform().text() : "unknown/unknown";
}

Result<std::uint64_t> Containers::size_mb(const std::string& id) const {
  TRY(check_container(*context_, id));
  return tree_size_mb(root(id));
}

std::optional<std::string> Containers::execution_mode(const std::string& id) const {
  return check_container(*context_, id) ? small_file(path_join(dir(id), "execmode")) : std::nullopt;
}
std::optional<std::string> Containers::root_path(const std::string& id) const {
  return check_container(*context_, id) ? small_file(path_join(dir(id), "root.path")) : std::nullopt;
}

Result<> Containers::set_execution_mode(const std::string& id, const std::string& mode) const {
  TRY_ASSIGN(Lock lock, lock_containers(*context_));
  TRY(check_container(*context_, id));
  TRY_ASSIGN(std::string real_root, real_path(root(id)));
  // The mode is set when its file is there: what belongs to it comes first.
  const bool had_path = exists(path_join(dir(id), "root.path"));
  TRY(install_file(context_->state.containers, dir(id), "root.path", real_root));
  auto done = install_file(context_->state.containers, dir(id), "execmode", mode);
  if (!done && !had_path) (void)unlink_at(AT_FDCWD, path_join(dir(id), "root.path"));
  return done;
}

Result<archive::OwnerRecord> Containers::owners(const std::string& id) const {
  TRY(check_container(*context_, id));
  auto text = read_file(path_join(dir(id), k_owners_file), k_max_owners);
  if (!text && text.error().code == Code::not_found) return archive::OwnerRecord();
  if (!text) return fail(std::move(text).error());
  auto owners = owners_from_text(*text);
  if (!owners) return fail(std::move(owners).error().context("container " + id));
  return owners;
}

Result<> Containers::set_owners(const std::string& id, const archive::OwnerRecord& owners) const {
  return change_owners(id, [&](archive::OwnerRecord& record) { record = owners; });
}

Result<> Containers::change_owners(const std::string& id,
                                   const std::function<void(archive::OwnerRecord&)>& change) const {
  TRY_ASSIGN(Lock lock, lock_containers(*context_));
  TRY_ASSIGN(archive::OwnerRecord owners, this->owners(id));
  change(owners);
  if (owners.empty()) return unlink_at(AT_FDCWD, path_join(dir(id), k_owners_file));
  return install_file(context_->state.containers, dir(id), std::string(k_owners_file), owners_to_text(owners));
}

Result<ContainerDraft> Containers::begin() const {
  sweep_containers(*context_);
  return ContainerDraft::make(context_);
}

Result<std::optional<Lock>> Containers::use(const std::string& id) const {
  TRY(check_container(*context_, id));
  auto lock = Lock::acquire(context_->state.containers, use_lock_name(id), LockMode::shared, context_->waiting,
                            "container " + id);
  if (lock) {
    // Removed while we waited.
    TRY(check_container(*context_, id));
    return std::optional(std::move(*lock));
  }
  if (lock.error().code == Code::denied) return std::optional<Lock>();
  return fail(std::move(lock).error());
}

Result<> Containers::remove(const std::string& id, Removal removal) const {
  TRY(check_container(*context_, id));
  std::optional<Lock> unused;
  if (removal != Removal::force) {
    Waiting no_wait{std::chrono::milliseconds(0), {}};
    auto lock =
        Lock::acquire(context_->state.containers, use_lock_name(id), LockMode::exclusive, no_wait, "container " + id);
    if (!lock && lock.error().code == Code::busy)
      return fail(Code::busy, "container " + id + " is in use: wait for it to end, or use rm -f");
    if (!lock && !(lock.error().code == Code::no_space && is_surely_unused(*context_, id)))
      return fail(std::move(lock).error());
    if (lock) unused = std::move(*lock);
  }
  if (removal == Removal::normal) {
    if (auto good = check_removable(dir(id)); !good)
      return fail(Error(Code::denied, good.error().sys_errno,
                        "cannot delete container " + id + " (" + good.error().text + "): use rm -f"));
  }
  TRY_ASSIGN(std::string trash, take_away(id, removal));
  unused.reset();
  if (auto gone = empty_trash(*context_, trash); !gone)
    return fail(std::move(gone).error().context("container " + id + " is removed, but not all of its files"));
  return {};
}

Result<std::string> Containers::take_away(const std::string& id, Removal removal) const {
  auto lock = lock_containers(*context_);
  // On a disk without room for the lock's file it goes without: one rename takes the container away.
  if (!lock && lock.error().code != Code::no_space) return fail(std::move(lock).error());
  TRY(check_container(*context_, id));
  if (exists(path_join(dir(id), "PROTECT")))
    return fail(Code::denied, "container " + id + " is protected: unprotect it first");
  return move_to_trash(*context_, id, removal);
}

Result<> Containers::protect(const std::string& id, Protection protection) const {
  TRY(check_container(*context_, id));
  // One call, for which a full disk needs no room.
  if (protection == Protection::off) return unlink_at(AT_FDCWD, path_join(dir(id), "PROTECT"));
  TRY_ASSIGN(Lock lock, lock_containers(*context_));
  TRY(check_container(*context_, id));
  return install_file(context_->state.containers, dir(id), "PROTECT", "");
}

}  // namespace udk::store
