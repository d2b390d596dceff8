#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "store/lock.hpp"
#include "store/modes.hpp"

namespace udk::archive {
class OwnerRecord;
}

namespace udk::store {

struct Context;

// The column M of `ps`.
enum class RootState : char { writable = 'W', read_only = 'R', missing = 'N', not_a_directory = 'D' };

struct ContainerEntry {
  std::string id;
  std::string dir;                   // containers/ID
  std::vector<std::string> aliases;  // in directory order
  std::string image;                 // imagerepo.name: "debian:12"; "" if unreadable
  Protection protection = Protection::off;
  RootState root_state = RootState::missing;
  bool has_metadata = false;  // container.json is a readable file
};

// An alias as both tools accept it: not empty, at most 2048 bytes (and 255, the limit of a file name), none of
// "/", ".", blank, "[", "]", no control character. Code::usage.
Result<> check_alias(const std::string& name);

// A container that is being made, in a place where no tool lists it. Dropped without publish(): all of it is removed.
class ContainerDraft {
 public:
  ContainerDraft(ContainerDraft&&) noexcept;
  ContainerDraft& operator=(ContainerDraft&&) noexcept;
  ~ContainerDraft();

  [[nodiscard]] const std::string& id() const;
  [[nodiscard]] const std::string& dir() const;  // becomes containers/ID
  [[nodiscard]] std::string root() const;        // dir() + "/ROOT", exists and is empty
  [[nodiscard]] int root_fd() const;             // the same, open

  // imagerepo.name: "debian:12".
  Result<> set_image(const std::string& name);
  // container.json, written on one line as the Python tool does. Code::corrupt unless it is a JSON object.
  Result<> set_config(const std::string& json);
  Result<> set_owners(const archive::OwnerRecord& owners);
  // Call now and then during long work (Lock::renew).
  Result<> renew();

  // The container exists from now on, under its id and, if not empty, under `alias`: both or nothing. Code::exists: the
  // alias is taken (the draft is still there, publish can be called again); Code::usage: no valid alias.
  Result<> publish(const std::string& alias);

 private:
  friend class Containers;
  struct State;
  explicit ContainerDraft(std::unique_ptr<State> state);
  static Result<ContainerDraft> make(const std::shared_ptr<const Context>& context);
  void release();
  std::unique_ptr<State> state_;
};

// The directory `containers`.
class Containers {
 public:
  explicit Containers(std::shared_ptr<const Context> context) : context_(std::move(context)) {}

  // In directory order. Reads imagerepo.name of each, no JSON.
  [[nodiscard]] Result<std::vector<ContainerEntry>> list() const;
  [[nodiscard]] Result<ContainerEntry> entry(const std::string& id) const;
  // The id for an id or an alias. Code::not_found.
  [[nodiscard]] Result<std::string> resolve(const std::string& id_or_alias) const;
  [[nodiscard]] std::string dir(const std::string& id) const;
  [[nodiscard]] std::string root(const std::string& id) const;

  // container.json as it is. Code::not_found, Code::corrupt.
  [[nodiscard]] Result<std::string> config(const std::string& id) const;
  // "linux/amd64"; "unknown/unknown" if container.json cannot be read.
  [[nodiscard]] std::string platform(const std::string& id) const;
  // As `du -s -m -x ROOT`: allocated MB, rounded up, hard links once, one file system.
  [[nodiscard]] Result<std::uint64_t> size_mb(const std::string& id) const;

  // The execution mode stored by `setup`: "P2"; none = the default.
  [[nodiscard]] std::optional<std::string> execution_mode(const std::string& id) const;
  // Writes execmode and root.path (the canonical path of ROOT).
  Result<> set_execution_mode(const std::string& id, const std::string& mode) const;
  [[nodiscard]] std::optional<std::string> root_path(const std::string& id) const;

  // Set-id bits and foreign owners, which are never on the disk. An empty record if there is none.
  [[nodiscard]] Result<archive::OwnerRecord> owners(const std::string& id) const;
  Result<> set_owners(const std::string& id, const archive::OwnerRecord& owners) const;
  // Reads, changes and writes the record, with no other change in between.
  Result<> change_owners(const std::string& id, const std::function<void(archive::OwnerRecord&)>& change) const;

  Result<ContainerDraft> begin() const;
  // Marks the container as in use until the lock is dropped. nullopt where the repository cannot be written.
  Result<std::optional<Lock>> use(const std::string& id) const;

  // Removes the mount points that runs have made in ROOT (.mountpoints), from the leaf up to the directory that was
  // there before, and the record of them. Only what is empty is removed: a file with content is the image's own.
  Result<> purge_mount_points(const std::string& id) const;

  // Puts back the files that the Python tool has replaced in ROOT by links to the host's, as it does for its modes R
  // (.bind_orig_files, with names like "#etc#passwd"). Modes other than R need them.
  Result<> restore_bound_files(const std::string& id) const;

  // It and its aliases vanish at once, then the tree is deleted. Code::denied with sys_errno 0: protected.
  // Removal::normal: Code::busy while it is in use, and Code::denied, with nothing changed, if some directory of it
  // cannot be emptied; Removal::force: whatever its modes are, also while it is in use; Removal::force_unused: whatever
  // its modes are, Code::busy while it is in use.
  Result<> remove(const std::string& id, Removal removal) const;
  Result<> protect(const std::string& id, Protection protection) const;

  // Code::not_found, Code::usage (bad name), Code::exists.
  Result<> add_alias(const std::string& id, const std::string& name) const;
  // Code::not_found: no alias of that name.
  Result<> remove_alias(const std::string& name) const;
  // Code::not_found: nothing of the name `old_name`; Code::usage: `old_name` is an id, or `new_name` no valid name;
  // Code::exists.
  Result<> rename_alias(const std::string& old_name, const std::string& new_name) const;

 private:
  [[nodiscard]] Result<std::string> take_away(const std::string& id, Removal removal) const;
  std::shared_ptr<const Context> context_;
};

}  // namespace udk::store
