#include <fcntl.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/text.hpp"
#include "store/container_dir.hpp"
#include "store/names.hpp"

namespace udk::store {

Result<> check_alias(const std::string& name) {
  bool good = is_file_name(name) && name.find_first_of("/. []") == std::string::npos;
  if (good) return {};
  return fail(Code::usage, "'" + printable(name.substr(0, 300)) +
                               "': it must have 1 to 255 characters, none of them '/', '.', '[', ']' or a blank");
}

Result<> Containers::add_alias(const std::string& id, const std::string& name) const {
  TRY(check_alias(name));
  TRY_ASSIGN(Lock lock, lock_containers(*context_));
  TRY(check_container(*context_, id));
  return make_alias(*context_, id, name);
}

Result<> Containers::remove_alias(const std::string& name) const {
  auto lock = lock_containers(*context_);
  // A removal makes room, and one call does it.
  if (!lock && lock.error().code != Code::no_space) return fail(std::move(lock).error());
  if (target_of_alias(*context_, name).empty())
    return fail(Code::not_found, "there is no container name '" + printable(name.substr(0, 300)) + "'");
  return unlink_at(AT_FDCWD, path_join(context_->paths.containers, name));
}

Result<> Containers::rename_alias(const std::string& old_name, const std::string& new_name) const {
  TRY(check_alias(new_name));
  TRY_ASSIGN(Lock lock, lock_containers(*context_));
  std::string id = target_of_alias(*context_, old_name);
  if (id.empty() && check_container(*context_, old_name))
    return fail(Code::usage, "'" + old_name + "' is the id of a container, not a name: use name to give it one");
  if (id.empty() || !check_container(*context_, id))
    return fail(Code::not_found, "there is no container name '" + printable(old_name.substr(0, 300)) + "'");
  TRY(free_alias(*context_, new_name));
  return rename_at(AT_FDCWD, path_join(context_->paths.containers, old_name), AT_FDCWD,
                   path_join(context_->paths.containers, new_name));
}

}  // namespace udk::store
