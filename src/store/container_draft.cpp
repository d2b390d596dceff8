#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "archive/owner_record.hpp"
#include "base/file.hpp"
#include "base/path.hpp"
#include "base/random.hpp"
#include "store/container_dir.hpp"
#include "store/container_state.hpp"
#include "store/names.hpp"
#include "store/owners_file.hpp"
#include "store/python_json.hpp"

namespace udk::store {
namespace {
constexpr mode_t k_root_mode = 0755;
}  // namespace

ContainerDraft::ContainerDraft(std::unique_ptr<State> state) : state_(std::move(state)) {}
ContainerDraft::ContainerDraft(ContainerDraft&&) noexcept = default;
ContainerDraft& ContainerDraft::operator=(ContainerDraft&& other) noexcept {
  if (this != &other) {
    release();
    state_ = std::move(other.state_);
  }
  return *this;
}
ContainerDraft::~ContainerDraft() { release(); }

void ContainerDraft::release() {
  if (!state_) return;
  state_->root.reset();
  if (!state_->published) (void)remove_tree_at(AT_FDCWD, state_->dir, Modes::force);
  auto context = state_->context;
  state_.reset();  // the lock goes before its directory
  drop_state_dir(*context);
}

Result<ContainerDraft> ContainerDraft::make(const std::shared_ptr<const Context>& context) {
  std::string id = random_uuid();
  std::string dir = path_join(context->state.containers, "draft-" + id);
  TRY_ASSIGN(Lock lock, Lock::acquire(context->state.containers, "draft-" + id + ".lock", LockMode::exclusive,
                                      context->waiting, "the new container " + id));
  ContainerDraft out(std::make_unique<State>(State{context, id, dir, std::move(lock), Fd(), false}));
  TRY(make_dirs(out.root()));
  TRY_ASSIGN(out.state_->root, open_dir(out.root()));
  // The guest's `/`, which most images leave to the runtime: programs that give up their rights must get in, whatever
  // the user's umask. What the umask keeps from others is kept by the directory above.
  if (::fchmod(out.state_->root.get(), k_root_mode) != 0) return fail_errno(errno, out.root());
  return out;
}

const std::string& ContainerDraft::id() const { return state_->id; }
const std::string& ContainerDraft::dir() const { return state_->dir; }
std::string ContainerDraft::root() const { return path_join(state_->dir, "ROOT"); }
int ContainerDraft::root_fd() const { return state_->root.get(); }

Result<> ContainerDraft::set_image(const std::string& name) {
  return write_file_atomic(path_join(state_->dir, "imagerepo.name"), name);
}

Result<> ContainerDraft::set_config(const std::string& json) {
  auto line = python_json_line(json);
  if (!line || !line->starts_with('{'))
    return fail(Code::corrupt, "the configuration of container " + state_->id + " is not a JSON object");
  return write_file_atomic(path_join(state_->dir, "container.json"), *line);
}

Result<> ContainerDraft::set_owners(const archive::OwnerRecord& owners) {
  std::string path = path_join(state_->dir, k_owners_file);
  if (owners.empty()) return unlink_at(AT_FDCWD, path);
  return write_file_atomic(path, owners_to_text(owners));
}

Result<> ContainerDraft::renew() { return state_->lock.renew(); }

Result<> ContainerDraft::publish(const std::string& alias) {
  const Context& context = *state_->context;
  if (!alias.empty()) TRY(check_alias(alias));
  TRY(state_->lock.renew());
  TRY_ASSIGN(Lock lock, lock_containers(context));
  // The name first: it decides whether there will be a container. Whoever dies here leaves a link to nothing, which
  // sweeping removes together with the draft.
  if (!alias.empty()) TRY(make_alias(context, state_->id, alias));
  auto moved = rename_at(AT_FDCWD, state_->dir, AT_FDCWD, container_dir(context, state_->id));
  if (!moved) {
    if (!alias.empty()) (void)unlink_at(AT_FDCWD, path_join(context.paths.containers, alias));
    return fail(std::move(moved).error().context("cannot create container " + state_->id));
  }
  state_->published = true;
  if (auto dir = open_dir(context.paths.containers)) (void)sync_fd(dir->get());
  return {};
}

}  // namespace udk::store
