#include "store/images.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/text.hpp"
#include "image/image_config.hpp"
#include "image/reference.hpp"
#include "store/context.hpp"
#include "store/dir_entries.hpp"
#include "store/draft_dir.hpp"
#include "store/draft_state.hpp"
#include "store/image_data.hpp"
#include "store/image_tree.hpp"
#include "store/interchange.hpp"
#include "store/layer_sweep.hpp"
#include "store/repo_lock.hpp"
#include "store/state_file.hpp"

namespace udk::store {
namespace {

ImageEntry entry_of(const ImageName& name, const std::string& dir) {
  return {name, dir, exists(path_join(dir, "PROTECT")) ? Protection::on : Protection::off};
}

Error is_protected(const ImageName& name) {
  return {Code::denied, "image " + name.text() + " is protected: unprotect it first"};
}

// The image, if it may be removed.
Result<ImageEntry> removable(const Images& images, const ImageName& name) {
  TRY_ASSIGN(ImageEntry entry, images.find(name));
  if (entry.protection == Protection::on) return fail(is_protected(name));
  return entry;
}

// The readings of what a user typed, the likeliest first.
std::vector<ImageName> readings(const std::string& text) {
  std::vector<ImageName> out;
  if (auto reference = image::Reference::parse(text)) out.push_back({reference->repository(), reference->tag()});
  auto cut = text.find('@');
  if (cut == std::string::npos) cut = text.find(':');
  if (cut != std::string::npos)
    out.push_back({text.substr(0, cut), text.substr(cut + 1)});
  else
    out.push_back({text, "latest"});
  return out;
}

}  // namespace

Result<std::vector<ImageEntry>> Images::list() const {
  std::vector<ImageEntry> out;
  TRY(walk_images(context_->paths.repos,
                  [&](const ImageName& name, const std::string& dir) { out.push_back(entry_of(name, dir)); }));
  return out;
}

Result<ImageEntry> Images::find(const ImageName& name) const {
  TRY(check_image_name(name));
  std::string dir = tag_dir(*context_, name);
  if (!is_image(dir)) return fail(Code::not_found, "image " + name.text() + " is not in the local repository");
  return entry_of(name, dir);
}

Result<ImageEntry> Images::find(const std::string& text) const {
  Result<ImageEntry> first = fail(Code::not_found, "");
  bool is_first = true;
  for (const auto& name : readings(text)) {
    auto entry = find(name);
    if (entry) return entry;
    if (is_first) first = std::move(entry);
    is_first = false;
  }
  return first;
}

Result<ImageData> Images::load(const ImageName& name) const {
  // Pulled anew in between: then the next reading sees the new one. What fails twice is broken.
  for (int attempt = 0;; ++attempt) {
    TRY_ASSIGN(ImageEntry entry, find(name));
    auto data = read_image(*context_, name, entry.dir);
    if (data || data.error().code != Code::not_found || attempt == 2) return data;
  }
}

std::string Images::platform(const ImageName& name) const {
  auto data = load(name);
  if (!data) return "unknown/unknown";
  auto config = image::ImageConfig::parse(data->config);
  return config ? config->platform().text() : "unknown/unknown";
}

Result<std::vector<ImageLink>> Images::links(const ImageName& name) const {
  TRY_ASSIGN(ImageEntry image, find(name));
  TRY_ASSIGN(auto entries, dir_entries(image.dir));
  std::vector<ImageLink> out;
  for (const auto& entry : entries) {
    if (entry.type != EntryType::link) continue;
    struct stat st {};
    bool there = ::stat(path_join(image.dir, entry.name).c_str(), &st) == 0;
    out.push_back({entry.name, there ? std::optional(static_cast<std::uint64_t>(st.st_size)) : std::nullopt});
  }
  return out;
}

Result<PinnedImage> Images::pin(const ImageName& name) const {
  auto repo = RepoLock::acquire(*context_);
  if (!repo) {
    // Without the right to write there is nothing to hold on to.
    if (repo.error().code != Code::denied) return fail(std::move(repo).error());
    TRY_ASSIGN(ImageData data, load(name));
    return PinnedImage{std::move(data), nullptr};
  }
  sweep_repos(*context_, *repo, nullptr, k_keep_fetched);
  TRY_ASSIGN(ImageData data, load(name));
  TRY_ASSIGN(Draft draft, make_draft(*context_, name, DraftKind::pin));
  TagContent content;
  std::set<std::string> blobs;
  auto done = add_blobs_of_dir(data.dir, blobs);
  for (const auto& blob : blobs) content.links.emplace_back(blob, blob);
  if (done) done = claim_links(*context_, *repo, draft, name, content);
  if (!done) {
    (void)remove_draft(*context_, *repo, draft.name);
    return fail(std::move(done).error());
  }
  return PinnedImage{std::move(data), std::make_shared<Pin>(context_, std::move(draft))};
}

Result<ImageDraft> Images::begin(const ImageName& name) const {
  TRY(check_image_name(name));
  sweep_layers(*context_, k_keep_fetched);
  TRY_ASSIGN(RepoLock repo, RepoLock::acquire(*context_));
  sweep_repos(*context_, repo, nullptr, k_keep_fetched);
  TRY_ASSIGN(Draft draft, make_draft(*context_, name, DraftKind::draft));
  return ImageDraft(std::make_unique<ImageDraft::State>(ImageDraft::State{context_, name, std::move(draft)}));
}

Result<> Images::remove(const ImageName& name, Removal removal) const {
  TRY_ASSIGN(ImageEntry entry, removable(*this, name));
  const std::string tag = path_join(entry.dir, "TAG");
  auto repo = RepoLock::acquire(*context_);
  // A disk without room even for the lock's file: TAG makes room for it. Whoever is about to read or to replace the
  // image finds it removed, as a moment earlier or later.
  const bool early = !repo && repo.error().code == Code::no_space;
  if (early) {
    TRY(unlink_at(AT_FDCWD, tag));
    repo = RepoLock::acquire(*context_);
  }
  if (!repo) return fail(std::move(repo).error());
  if (!early) TRY(removable(*this, name));
  TRY_ASSIGN(Intent intent, repo->intend(name, IfNoRoom::go_on));
  auto done = early ? Result<>() : unlink_at(AT_FDCWD, tag);
  auto settled = repo->settle(intent, removal);
  if (done) sweep_repos(*context_, *repo, &name, k_keep_fetched);
  return done ? settled : done;
}

Result<> Images::protect(const ImageName& name, Protection protection) const {
  TRY_ASSIGN(ImageEntry entry, find(name));
  // One call, for which a full disk needs no room.
  if (protection == Protection::off) return unlink_at(AT_FDCWD, path_join(entry.dir, "PROTECT"));
  TRY_ASSIGN(RepoLock repo, RepoLock::acquire(*context_));
  TRY(find(name));
  return install_file(context_->state.repos, entry.dir, "PROTECT", "");
}

Result<> Images::tag(const ImageName& source, const ImageName& target) const {
  TRY(check_image_name(target));
  TRY_ASSIGN(RepoLock repo, RepoLock::acquire(*context_));
  TRY_ASSIGN(ImageEntry from, find(source));
  if (is_image(tag_dir(*context_, target))) return fail(Code::exists, "image " + target.text() + " exists already");
  if (from.protection == Protection::on) return fail(is_protected(source));
  TRY_ASSIGN(auto entries, dir_entries(from.dir));
  TagContent content;
  for (const auto& entry : entries) {
    if (entry.type == EntryType::link) {
      TRY_ASSIGN(auto to, readlink_at(AT_FDCWD, path_join(from.dir, entry.name)));
      content.links.emplace_back(entry.name, path_basename(to));
    } else if (entry.type == EntryType::file && entry.name != "TAG" && entry.name != "PROTECT") {
      TRY_ASSIGN(auto text, read_file(path_join(from.dir, entry.name)));
      content.files.emplace_back(entry.name, std::move(text));
    }
  }
  // Like a pin there is nothing in it that a later attempt could use.
  TRY_ASSIGN(Draft draft, make_draft(*context_, target, DraftKind::pin));
  auto done = claim_links(*context_, repo, draft, target, content);
  if (done) done = write_draft(*context_, draft, target, content);
  if (done) done = publish_draft(*context_, repo, draft, target, content);
  (void)remove_draft(*context_, repo, draft.name);
  if (done) tell_limit_in_python_tool(*context_, target);
  return done;
}

}  // namespace udk::store
