#pragma once

#include <string>

#include "base/result.hpp"
#include "store/store.hpp"
#include "transfer/input.hpp"

namespace udk::transfer {

// Writes the tree of a container to an archive as `docker export` does, with the owners, set-id bits and modes that its
// programs see.
Result<> export_tree(const store::Store& store, const std::string& id, int fd, const Cancelled& cancelled);

// Writes the directory of a container, for import_clone and for the Python tool: metadata, mode, owner record and tree,
// the latter as it is on the disk.
Result<> export_clone(const store::Store& store, const std::string& id, int fd, const Cancelled& cancelled);

}  // namespace udk::transfer
