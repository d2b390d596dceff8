#include "store/draft_dir.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/random.hpp"
#include "store/dir_entries.hpp"
#include "store/image_tree.hpp"
#include "store/layer_sweep.hpp"
#include "store/names.hpp"

namespace udk::store {
namespace {

// The text of a link in the tag directory `dir` (which need not exist yet) to a file in `layers`. If a part was moved
// behind a symlink of its own, the plain relative path leads nowhere: then the path between the real places.
std::string link_prefix(const Context& context, const ImageName& name) {
  std::string plain = relative_path(context.paths.layers, tag_dir(context, name));
  auto repos = real_path(context.paths.repos);
  auto layers = real_path(context.paths.layers);
  if (!repos || !layers) return plain;
  return relative_path(*layers, path_join(path_join(*repos, name.repository), name.tag));
}

Result<> write_new(const std::string& path, std::string_view content) {
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0666));
  auto done = write_all(fd.get(), as_bytes(content));
  if (done) done = sync_fd(fd.get());
  if (!done) return fail(std::move(done).error().context(path));
  return {};
}

Result<> put_link(const std::string& target, const std::string& path) {
  auto there = readlink_at(AT_FDCWD, path);
  if (there && *there == target) return {};
  TRY(unlink_at(AT_FDCWD, path));
  return symlink_at(target, AT_FDCWD, path);
}

void sync_dir(const std::string& dir) {
  if (auto fd = open_dir(dir)) (void)sync_fd(fd->get());
}

// The directory has something in it, or is an image: only a name that is free or empty can be taken by one rename.
bool is_in_use(const std::string& dir) {
  auto entries = dir_entries(dir);
  return entries && !entries->empty();
}

// One step after the other, so that at each moment it is the old image or the new one: the links of both, then the
// metadata, then away with what made it the old one.
Result<> replace(const Context& context, const Draft& draft, const ImageName& name, const TagContent& content) {
  std::string dir = tag_dir(context, name);
  std::string prefix = link_prefix(context, name);
  for (const auto& [link, blob] : content.links) TRY(put_link(path_join(prefix, blob), path_join(dir, link)));
  for (const auto& [file, text] : content.files)
    TRY(rename_at(AT_FDCWD, path_join(draft.dir, file), AT_FDCWD, path_join(dir, file)));
  bool v2 = std::any_of(content.files.begin(), content.files.end(), [](const auto& f) { return f.first == "v2"; });
  if (v2) TRY(unlink_at(AT_FDCWD, path_join(dir, "v1")));
  if (!is_image(dir)) TRY(rename_at(AT_FDCWD, path_join(draft.dir, "TAG"), AT_FDCWD, path_join(dir, "TAG")));
  sync_dir(dir);
  return {};
}

}  // namespace

Result<Draft> make_draft(const Context& context, const ImageName& name, DraftKind kind) {
  std::string draft = (kind == DraftKind::pin ? "pin-" : "draft-") + random_hex(8);
  std::string dir = path_join(context.state.repos, draft);
  TRY_ASSIGN(Lock lock, Lock::acquire(context.state.repos, draft + ".lock", LockMode::exclusive, context.waiting,
                                      "the image " + name.text()));
  if (auto named = write_new(dir + ".name", name.text()); !named) {
    (void)unlink_at(AT_FDCWD, dir + ".name");
    return fail(std::move(named).error());
  }
  if (auto made = make_dirs(dir); !made) {
    (void)unlink_at(AT_FDCWD, dir + ".name");
    return fail(std::move(made).error());
  }
  return Draft{draft, dir, std::move(lock)};
}

Result<> claim_links(const Context& context, RepoLock& /*repo*/, const Draft& draft, const ImageName& name,
                     const TagContent& content) {
  std::string prefix = link_prefix(context, name);
  for (const auto& [link, blob] : content.links) TRY(put_link(path_join(prefix, blob), path_join(draft.dir, link)));
  return {};
}

Result<> write_draft(const Context& context, const Draft& draft, const ImageName& name, const TagContent& content) {
  for (const auto& [file, text] : content.files) TRY(write_new(path_join(draft.dir, file), text));
  std::string tag = path_join(context.paths.repos, name.repository) + ":" + name.tag;
  TRY(write_new(path_join(draft.dir, "TAG"), tag));
  sync_dir(draft.dir);
  return {};
}

Result<> publish_draft(const Context& context, RepoLock& repo, const Draft& draft, const ImageName& name,
                       const TagContent& content) {
  std::string dir = tag_dir(context, name);
  auto ready = make_dirs(std::string(path_dirname(dir)));
  if (!ready) {
    remove_empty_dirs(context, name);
    return ready;
  }
  if (is_in_use(dir)) {
    TRY_ASSIGN(Intent intent, repo.intend(name));
    auto done = replace(context, draft, name, content);
    auto settled = repo.settle(intent, done ? Removal::normal : Removal::force);
    return done ? settled : done;
  }
  auto moved = rename_at(AT_FDCWD, draft.dir, AT_FDCWD, dir);
  if (moved)
    sync_dir(std::string(path_dirname(dir)));
  else
    remove_empty_dirs(context, name);
  return moved;
}

Result<> remove_draft(const Context& context, RepoLock& repo, const std::string& draft) {
  std::string dir = path_join(context.state.repos, draft);
  std::set<std::string> blobs;
  TRY(add_blobs_of_dir(dir, blobs));
  TRY(repo.collect(blobs, draft));
  // Its record is made when this file is there.
  if (auto manifest = read_file(path_join(dir, "manifest"))) TRY(repo.collect_manifest(manifest_key(*manifest)));
  TRY(remove_tree_at(AT_FDCWD, dir));
  return unlink_at(AT_FDCWD, dir + ".name");
}

void sweep_repos(const Context& context, RepoLock& repo, const ImageName* name, std::chrono::seconds age) {
  const std::string& state = context.state.repos;
  auto entries = dir_entries(state);
  if (!entries) return;
  constexpr std::string_view suffix = ".name";
  for (const auto& entry : *entries) {
    std::string path = path_join(state, entry.name);
    if (entry.name.starts_with("tmp-")) (void)unlink_at(AT_FDCWD, path);
    bool pin = entry.name.starts_with("pin-");
    if ((!pin && !entry.name.starts_with("draft-")) || !entry.name.ends_with(suffix)) continue;
    std::string draft = entry.name.substr(0, entry.name.size() - suffix.size());
    auto text = name ? read_file(path, 65536) : Result<std::string>("");
    bool same = name && text && *text == name->text();
    // Without its directory it has claimed nothing.
    bool empty = !is_dir(path_join(state, draft));
    if (!pin && !same && !empty && !is_older(path, age)) continue;
    Waiting no_wait{std::chrono::milliseconds(0), {}};
    auto dead = Lock::acquire(state, draft + ".lock", LockMode::exclusive, no_wait, draft);
    if (dead) (void)remove_draft(context, repo, draft);
  }
  Lock::sweep(state);
}

void drop_draft(const Context& context, Draft& draft) {
  auto repo = RepoLock::acquire(context);
  if (!repo && repo.error().code == Code::no_space) {
    // Its own lock's file makes room for the other one.
    draft.lock.reset();
    repo = RepoLock::acquire(context);
  }
  if (repo) (void)remove_draft(context, *repo, draft.name);
}

Pin::~Pin() { drop_draft(*context_, draft_); }

}  // namespace udk::store
