#include "transfer/clone.hpp"

#include "base/copy_tree.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/scope.hpp"
#include "transfer/container_parts.hpp"

namespace udk::transfer {
namespace {

Result<> fill_copy(const store::Store& store, const std::string& id, store::ContainerDraft& draft,
                   const Cancelled& cancelled) {
  const auto containers = store.containers();
  TRY_ASSIGN(const std::string root, real_path(containers.root(id)));
  CopyOptions options;
  options.progress = [&]() -> Result<> {
    if (cancelled && cancelled()) return fail_errno(EINTR, "copying");
    return draft.renew();
  };
  const UmaskScope all_modes(0);
  TRY(copy_tree(root, draft.root(), options));
  options.except = "ROOT";
  return copy_tree(containers.dir(id), draft.dir(), options);
}

}  // namespace

Result<std::string> clone_container(const store::Store& store, const std::string& id, const std::string& alias,
                                    const Cancelled& cancelled) {
  // Nobody deletes it meanwhile.
  TRY_ASSIGN(const auto use, store.containers().use(id));
  TRY_ASSIGN(auto draft, store.containers().begin());
  std::string copy = draft.id();
  TRY(fill_copy(store, id, draft, cancelled));
  TRY_ASSIGN(Fd dir, open_dir(draft.dir()));
  TRY(settle_mode(store, copy, dir.get()));
  if (const auto mode = store.containers().execution_mode(id); mode && mode->starts_with('F'))
    log::warning(
        "mode {} puts the place of a container into its files: setup --force --execmode={} of the Python tool "
        "converts the copy",
        *mode, *mode);
  TRY(draft.publish(alias));
  return copy;
}

}  // namespace udk::transfer
