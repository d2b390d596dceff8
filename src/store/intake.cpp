#include "store/intake.hpp"

#include <fcntl.h>

#include <utility>

#include "base/path.hpp"
#include "base/random.hpp"
#include "store/blobs.hpp"
#include "store/context.hpp"
#include "store/draft_dir.hpp"
#include "store/layer_sweep.hpp"

namespace udk::store {

struct Intake::State {
  std::shared_ptr<const Context> context;
  std::string dir;
  Lock lock;
  std::size_t files = 0;
};

Intake::Intake(std::unique_ptr<State> state) : state_(std::move(state)) {}
Intake::Intake(Intake&&) noexcept = default;
Intake& Intake::operator=(Intake&& other) noexcept {
  if (this != &other) {
    release();
    state_ = std::move(other.state_);
  }
  return *this;
}
Intake::~Intake() { release(); }

// The lock goes after its directory.
void Intake::release() {
  if (state_) (void)remove_tree_at(AT_FDCWD, state_->dir);
  state_.reset();
}

Result<Intake> Intake::make(const std::shared_ptr<const Context>& context) {
  sweep_layers(*context, k_keep_fetched);
  const std::string name = std::string(k_intake_prefix) + random_hex(8);
  TRY_ASSIGN(Lock lock, Lock::acquire(context->state.layers, name + ".lock", LockMode::exclusive, context->waiting,
                                      "the files of an archive"));
  Intake out(std::make_unique<State>(State{context, path_join(context->state.layers, name), std::move(lock)}));
  TRY(make_dirs(out.state_->dir));
  return out;
}

std::string Intake::next_path() { return path_join(state_->dir, std::to_string(state_->files++)); }

Result<> Intake::check_room(const archive::Limits& limits, std::uint64_t bytes) const {
  TRY_ASSIGN(Fd dir, open_dir(state_->dir));
  return archive::check_room(limits, dir.get(), bytes);
}

Result<Intake::File> Intake::open(std::optional<HashKind> kind) {
  std::string path = next_path();
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666));
  File file(*state_, std::move(path), std::move(fd));
  if (kind) {
    file.kind_ = *kind;
    file.hasher_.emplace(*kind);
  }
  return file;
}

Result<> Intake::File::write(Bytes data) {
  TRY(state_->lock.renew());
  if (auto done = write_all(fd_.get(), data); !done)
    return fail(std::move(done).error().context("cannot store the archive in " + state_->dir));
  if (hasher_) hasher_->update(data);
  size_ += data.size();
  return {};
}

Result<ReceivedFile> Intake::File::finish() {
  if (!hasher_) return fail(Code::internal, "a file without a hash");
  const std::string algorithm = kind_ == HashKind::sha256 ? "sha256:" : "sha512:";
  TRY_ASSIGN(auto digest, image::Digest::parse(algorithm + hasher_->hex()));
  return finish_as(std::move(digest));
}

Result<ReceivedFile> Intake::File::finish_as(image::Digest digest) {
  fd_.reset();
  return ReceivedFile{path_, size_, std::move(digest)};
}

Result<ReceivedFile> Intake::link_in(const std::string& path, image::Digest digest) {
  TRY_ASSIGN(auto status, lstat_at(AT_FDCWD, path));
  // Through another name or by another owner a blob could be changed later.
  const bool own = status && S_ISREG(status->st_mode) && status->st_nlink == 1 && status->st_uid == ::geteuid();
  std::string target = next_path();
  if (!own || ::linkat(AT_FDCWD, path.c_str(), AT_FDCWD, target.c_str(), 0) != 0)
    return fail(Code::unsupported, path + " cannot be moved");
  return ReceivedFile{std::move(target), static_cast<std::uint64_t>(status->st_size), std::move(digest)};
}

Result<ReceivedFile> Intake::add(std::string_view content) {
  TRY_ASSIGN(File file, open());
  TRY(file.write(as_bytes(content)));
  return file.finish();
}

Result<> Intake::commit(const ReceivedFile& file) {
  TRY(state_->lock.renew());
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, file.path, O_RDONLY | O_NOFOLLOW));
  if (auto done = sync_fd(fd.get()); !done) return fail(std::move(done).error().context(file.path));
  const std::string& layers = state_->context->paths.layers;
  TRY(rename_at(AT_FDCWD, file.path, AT_FDCWD, path_join(layers, file.digest.text())));
  if (auto dir = open_dir(layers)) (void)sync_fd(dir->get());
  return {};
}

Result<Intake> Blobs::receive() const { return Intake::make(context_); }

}  // namespace udk::store
