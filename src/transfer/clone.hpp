#pragma once

#include <string>

#include "base/result.hpp"
#include "store/store.hpp"
#include "transfer/input.hpp"

namespace udk::transfer {

// A second container with the same tree, metadata, owner record, mode and protection; its id. `alias` may be empty.
Result<std::string> clone_container(const store::Store& store, const std::string& id, const std::string& alias,
                                    const Cancelled& cancelled);

}  // namespace udk::transfer
