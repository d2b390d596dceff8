#pragma once

#include <memory>

#include "store/draft_dir.hpp"
#include "store/images.hpp"

namespace udk::store {

// Not for other modules.
struct ImageDraft::State {
  std::shared_ptr<const Context> context;
  ImageName name;
  Draft draft;
};

}  // namespace udk::store
