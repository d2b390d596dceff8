#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "store/blobs.hpp"
#include "store/containers.hpp"
#include "store/images.hpp"
#include "store/lock.hpp"
#include "store/paths.hpp"

namespace udk::store {

// A local repository: every byte below UDOCKER_DIR, in the layout of the Python tool (docs/on-disk-format.md).
// Many processes, on many nodes, may use one at the same time, and any of them may die at any instant.
class Store {
 public:
  // Code::not_found if there is no repository (see is_repository).
  static Result<Store> open(Paths paths, Waiting waiting = {});

  [[nodiscard]] const Paths& paths() const;
  [[nodiscard]] Blobs blobs() const { return Blobs(context_); }
  [[nodiscard]] Images images() const { return Images(context_); }
  [[nodiscard]] Containers containers() const { return Containers(context_); }

  // Removes what processes that died left behind. Whoever writes does it anyway; never fails, never touches what is
  // alive. What failed pulls have fetched is kept for `keep`, so that the next attempt can go on.
  void sweep(std::chrono::seconds keep = std::chrono::hours(24)) const;

 private:
  explicit Store(std::shared_ptr<const Context> context) : context_(std::move(context)) {}
  std::shared_ptr<const Context> context_;
};

}  // namespace udk::store
