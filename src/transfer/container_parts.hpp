#pragma once

#include <string>

#include "base/result.hpp"
#include "store/store.hpp"

// Files of a container's directory that comes from another place; docs/on-disk-format.md, "Containers".
namespace udk::transfer {

// The content of an entry, "" if it is missing.
Result<std::string> entry_text(int dir, const std::string& name);

// Lets root.path fit the container's new place `id`. In the modes F the tree has the old place in it, which only the
// root.path that came along tells to who converts it. Code::corrupt if execmode names no mode.
Result<> settle_mode(const store::Store& store, const std::string& id, int dir);

}  // namespace udk::transfer
