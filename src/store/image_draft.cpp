#include <fcntl.h>

#include "base/file.hpp"
#include "base/path.hpp"
#include "store/blobs.hpp"
#include "store/draft_state.hpp"
#include "store/interchange.hpp"
#include "store/python_json.hpp"
#include "store/repo_lock.hpp"
#include "store/state_file.hpp"

namespace udk::store {
namespace {

TagContent content_of(const image::Manifest& manifest) {
  TagContent out;
  auto add = [&](const image::Descriptor& part) { out.links.emplace_back(part.digest.text(), part.digest.text()); };
  add(manifest.config);
  for (const auto& layer : manifest.layers) add(layer);
  return out;
}

Result<> check_blobs(const Blobs& blobs, const image::Manifest& manifest) {
  auto check = [&](const image::Descriptor& part) -> Result<> {
    if (blobs.has(part.digest, part.size)) return {};
    return fail(Code::not_found, "blob " + part.digest.short_text() + " is missing in the repository: pull again");
  };
  TRY(check(manifest.config));
  for (const auto& layer : manifest.layers) TRY(check(layer));
  return {};
}

// Keeps the bytes that the digest of the manifest is computed of; the tag directory has them in Python's notation only.
Result<> record_manifest(const Context& context, const std::string& stored, const std::string& raw) {
  std::string dir = manifest_record_dir(context);
  if (exists(path_join(dir, manifest_key(stored)))) return {};
  TRY(make_dirs(dir));
  return install_file(context.state.repos, dir, manifest_key(stored), raw);
}

}  // namespace

ImageDraft::ImageDraft(std::unique_ptr<State> state) : state_(std::move(state)) {}
ImageDraft::ImageDraft(ImageDraft&&) noexcept = default;
ImageDraft& ImageDraft::operator=(ImageDraft&& other) noexcept {
  if (this != &other) {
    release();
    state_ = std::move(other.state_);
  }
  return *this;
}
ImageDraft::~ImageDraft() { release(); }

// A draft that has claimed nothing leaves nothing; any other one is left to the next attempt, unlocked.
void ImageDraft::release() {
  if (!state_) return;
  if (state_->draft.lock && ::rmdir(state_->draft.dir.c_str()) == 0)
    (void)unlink_at(AT_FDCWD, state_->draft.dir + ".name");
  state_.reset();
}

void ImageDraft::abandon() {
  if (!state_) return;
  drop_draft(*state_->context, state_->draft);
  state_.reset();
}

const ImageName& ImageDraft::name() const { return state_->name; }

Result<> ImageDraft::claim(const image::Manifest& manifest) {
  const Context& context = *state_->context;
  TRY_ASSIGN(RepoLock repo, lock_repo());
  auto done = claim_links(context, repo, state_->draft, state_->name, content_of(manifest));
  make_room(done, repo);
  return done;
}

// A full disk is not kept full by a part of an image.
Result<RepoLock> ImageDraft::lock_repo() {
  auto repo = RepoLock::acquire(*state_->context);
  if (!repo && repo.error().code == Code::no_space) drop_draft(*state_->context, state_->draft);
  return repo;
}

void ImageDraft::make_room(const Result<>& done, RepoLock& repo) {
  if (!done && done.error().code == Code::no_space) (void)remove_draft(*state_->context, repo, state_->draft.name);
}

Result<> ImageDraft::put_in_place(const image::Manifest& manifest, const std::string& stored, RepoLock& repo) {
  const Context& context = *state_->context;
  TagContent content = content_of(manifest);
  TRY(claim_links(context, repo, state_->draft, state_->name, content));
  TRY(check_blobs(Blobs(state_->context), manifest));
  content.files = {{"v2", ""}, {"manifest", stored}};
  TRY(write_draft(context, state_->draft, state_->name, content));
  // After the draft's own file: whoever removes the draft finds the record by it.
  TRY(record_manifest(context, stored, manifest.raw));
  return publish_draft(context, repo, state_->draft, state_->name, content);
}

Result<> ImageDraft::publish(const image::Manifest& manifest) {
  const Context& context = *state_->context;
  if (!state_->draft.lock) return fail(Code::internal, "image draft used after it was published");
  TRY(state_->draft.lock->renew());
  auto stored = python_json_line(manifest.raw);
  if (!stored) return fail(std::move(stored).error().context("the manifest of " + state_->name.text()));
  TRY_ASSIGN(RepoLock repo, lock_repo());
  const bool is_new = !is_image(tag_dir(context, state_->name));
  auto done = put_in_place(manifest, *stored, repo);
  make_room(done, repo);
  if (!done) return fail(std::move(done).error().context("cannot store image " + state_->name.text()));
  (void)remove_draft(context, repo, state_->draft.name);
  state_->draft.lock.reset();
  sweep_repos(context, repo, &state_->name, k_keep_fetched);
  if (is_new) tell_limit_in_python_tool(context, state_->name);
  return {};
}

}  // namespace udk::store
