#pragma once

#include <memory>
#include <string>

#include "base/fd.hpp"
#include "store/containers.hpp"
#include "store/context.hpp"
#include "store/lock.hpp"

namespace udk::store {

// Not for other modules.
struct ContainerDraft::State {
  std::shared_ptr<const Context> context;
  std::string id, dir;
  Lock lock;
  Fd root;
  bool published = false;
};

}  // namespace udk::store
