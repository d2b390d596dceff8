#include "store/store.hpp"

#include "store/container_dir.hpp"
#include "store/context.hpp"
#include "store/draft_dir.hpp"
#include "store/layer_sweep.hpp"

namespace udk::store {

Result<Store> Store::open(Paths paths, Waiting waiting) {
  if (!is_repository(paths)) return fail(Code::not_found, "no repository in " + paths.top + ": create one with mkrepo");
  StateDirs state = state_dirs(paths);
  return Store(std::make_shared<const Context>(Context{std::move(paths), std::move(state), std::move(waiting)}));
}

const Paths& Store::paths() const { return context_->paths; }

void Store::sweep(std::chrono::seconds keep) const {
  sweep_layers(*context_, keep);
  if (auto repo = RepoLock::acquire(*context_)) sweep_repos(*context_, *repo, nullptr, keep);
  sweep_containers(*context_);
}

}  // namespace udk::store
