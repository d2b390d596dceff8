#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "store/containers.hpp"
#include "store/context.hpp"
#include "store/lock.hpp"

// Changes of the directory `containers`; not for other modules.
//
//   draft-ID/       a container that is being made, becomes containers/ID
//   draft-ID.lock   held as long as its process lives
//   trash-ID/       a container that is being deleted
//   use-ID.lock     lock: shared while the container is in use
//   lock            lock: held while names or small files change
namespace udk::store {

// The right to change names and metadata of containers; held for moments only.
Result<Lock> lock_containers(const Context& context);

std::string container_dir(const Context& context, const std::string& id);
// Code::not_found unless `id` is the name of a directory of `containers`.
Result<> check_container(const Context& context, const std::string& id);
std::string use_lock_name(const std::string& id);

// The links to a container, in directory order.
Result<std::vector<std::string>> aliases_of(const Context& context, const std::string& id);
// What an alias points to, "" if there is no such link.
std::string target_of_alias(const Context& context, const std::string& alias);
// Removes a link of that name that points to nothing. Code::exists: there is something. lock_containers is held.
Result<> free_alias(const Context& context, const std::string& alias);
// Makes the link; one that points to nothing is replaced. Code::exists, Code::usage. lock_containers is held.
Result<> make_alias(const Context& context, const std::string& id, const std::string& alias);

// Renames containers/ID to the trash and removes its aliases: from now on it does not exist. The path of the trash.
// lock_containers is held.
Result<std::string> move_to_trash(const Context& context, const std::string& id, Removal removal);
// Deletes a directory of the state directory, and the state directory if it is inside `containers` and empty.
Result<> empty_trash(const Context& context, const std::string& path);
// The state directory shall not stay where the Python tool would list it.
void drop_state_dir(const Context& context);

// Removes what dead processes left; what takes long is done without holding the lock.
void sweep_containers(const Context& context);

}  // namespace udk::store
