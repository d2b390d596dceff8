#include "store/repo_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/path.hpp"
#include "base/text.hpp"
#include "store/dir_entries.hpp"
#include "store/image_tree.hpp"
#include "store/names.hpp"

namespace udk::store {
namespace {

constexpr std::size_t k_max_manifest = std::size_t{16} << 20;

std::string to_text(const Intent& intent) {
  std::string out = "udocker-intent 1\nrepository " + intent.name.repository + "\ntag " + intent.name.tag + "\n";
  if (!intent.manifest.empty()) out += "manifest " + intent.manifest + "\n";
  for (const auto& blob : intent.blobs) out += "blob " + blob + "\n";
  return out + "end\n";
}

// nullopt: not written to the end, so the change that it announces was not begun.
std::optional<Intent> parse_intent(std::string_view text) {
  if (!text.starts_with("udocker-intent 1\n") || !text.ends_with("\nend\n")) return std::nullopt;
  Intent out;
  for (auto line : split(text, '\n')) {
    auto blank = line.find(' ');
    if (blank == std::string_view::npos) continue;
    auto key = line.substr(0, blank);
    std::string value(line.substr(blank + 1));
    if (key == "repository") out.name.repository = value;
    if (key == "tag") out.name.tag = value;
    if (key == "manifest" && is_file_name(value)) out.manifest = value;
    if (key == "blob" && is_blob_name(value)) out.blobs.insert(value);
  }
  if (!check_image_name(out.name)) return std::nullopt;
  return out;
}

// The links that a v2 image needs; nullopt if that cannot be told.
std::optional<std::set<std::string>> needed_links(const std::string& dir) {
  auto text = read_file(path_join(dir, "manifest"), k_max_manifest);
  if (!text) return std::nullopt;
  auto manifest = nlohmann::json::parse(*text, nullptr, false);
  if (!manifest.is_object()) return std::nullopt;
  std::set<std::string> out;
  auto add = [&](const nlohmann::json& object, const char* key) {
    if (object.is_object() && object.contains(key) && object[key].is_string())
      out.insert(object[key].get<std::string>());
  };
  if (manifest.contains("config")) add(manifest["config"], "digest");
  for (const char* list : {"layers", "fsLayers"}) {
    if (!manifest.contains(list) || !manifest[list].is_array()) continue;
    for (const auto& layer : manifest[list]) {
      add(layer, "digest");
      add(layer, "blobSum");
    }
  }
  return out;
}

// What stands in the way of a tag directory being exactly its image, or exactly nothing.
enum class Content { nothing, v1, v2 };

bool is_left_over(const DirEntry& entry, Content content, const std::set<std::string>& needed) {
  if (entry.type == EntryType::directory) return false;  // another image may be in it
  switch (content) {
    case Content::nothing:
      return true;
    case Content::v1:
      if (entry.type == EntryType::link) return image::Digest::parse(entry.name).has_value();
      return entry.name == "v2" || entry.name == "manifest";
    case Content::v2:
      if (entry.type != EntryType::link) return entry.name == "ancestry";
      return !needed.contains(entry.name) && (is_blob_name(entry.name) || entry.name == "container.json");
  }
  return false;
}

Result<> tidy(const std::string& dir, Removal removal) {
  auto entries = dir_entries(dir);
  if (!entries) return entries.error().code == Code::not_found ? Result<>() : fail(std::move(entries).error());
  auto content = Content::nothing;
  std::set<std::string> needed;
  if (is_image(dir)) {
    content = exists(path_join(dir, "v1")) ? Content::v1 : Content::v2;
    auto links = content == Content::v2 ? needed_links(dir) : std::optional(needed);
    if (!links) return {};
    needed = std::move(*links);
  }
  for (const auto& entry : *entries) {
    if (!is_left_over(entry, content, needed)) continue;
    auto gone = unlink_at(AT_FDCWD, path_join(dir, entry.name));
    if (!gone && removal == Removal::normal) return gone;
  }
  return {};
}

}  // namespace

void remove_empty_dirs(const Context& context, const ImageName& name) {
  const std::string& repos = context.paths.repos;
  std::string dir = tag_dir(context, name);
  while (dir.size() > repos.size() && path_has_prefix(dir, repos) && (::rmdir(dir.c_str()) == 0 || errno == ENOENT))
    dir = std::string(path_dirname(dir));
}

std::string tag_dir(const Context& context, const ImageName& name) {
  return path_join(path_join(context.paths.repos, name.repository), name.tag);
}

bool is_image(const std::string& dir) {
  struct stat st {};
  return ::stat(path_join(dir, "TAG").c_str(), &st) == 0 && S_ISREG(st.st_mode);
}

std::string manifest_record_dir(const Context& context) { return path_join(context.state.repos, "manifests"); }
std::string manifest_key(std::string_view stored_manifest) { return sha256_hex(stored_manifest); }

std::string RepoLock::intent_path() const { return path_join(context_->state.repos, "intent"); }

Result<RepoLock> RepoLock::acquire(const Context& context) {
  TRY_ASSIGN(Lock lock, Lock::acquire(context.state.repos, "lock", LockMode::exclusive, context.waiting,
                                      "the image directory " + context.paths.repos));
  RepoLock out(context, std::move(lock));
  TRY(out.recover());
  return out;
}

Result<> RepoLock::recover() {
  auto text = read_file(intent_path());
  if (!text) return text.error().code == Code::not_found ? Result<>() : fail(std::move(text).error());
  if (auto intent = parse_intent(*text)) return settle(*intent, Removal::force);
  return unlink_at(AT_FDCWD, intent_path());
}

Result<> RepoLock::write_intent(const Intent& intent) {
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, intent_path(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0666));
  auto put = write_all(fd.get(), as_bytes(to_text(intent)));
  if (put) return {};
  (void)unlink_at(AT_FDCWD, intent_path());
  return fail(std::move(put).error().context(intent_path()));
}

Result<Intent> RepoLock::intend(const ImageName& name, IfNoRoom if_no_room) {
  Intent out{name, {}, {}};
  std::string dir = tag_dir(*context_, name);
  TRY(add_blobs_of_dir(dir, out.blobs));
  if (auto manifest = read_file(path_join(dir, "manifest"), k_max_manifest)) out.manifest = manifest_key(*manifest);
  auto written = write_intent(out);
  bool go_on = !written && written.error().code == Code::no_space && if_no_room == IfNoRoom::go_on;
  if (!written && !go_on) return fail(std::move(written).error());
  return out;
}

Result<> RepoLock::settle(const Intent& intent, Removal removal) {
  std::string dir = tag_dir(*context_, intent.name);
  auto done = tidy(dir, removal);
  if (!is_image(dir)) remove_empty_dirs(*context_, intent.name);
  if (done) done = collect(intent.blobs);
  if (done && !intent.manifest.empty()) done = collect_manifest(intent.manifest);
  if (!done && removal == Removal::normal) return done;
  return unlink_at(AT_FDCWD, intent_path());
}

Result<> RepoLock::collect(const std::set<std::string>& blobs, const std::string& except_draft) {
  if (blobs.empty()) return {};
  std::set<std::string> live;
  TRY(add_blobs_of_tree(context_->paths.repos, live));
  auto state = dir_entries(context_->state.repos);
  if (!state) return fail(std::move(state).error());
  for (const auto& entry : *state) {
    bool draft = entry.name.starts_with("draft-") || entry.name.starts_with("pin-");
    if (entry.type == EntryType::directory && draft && entry.name != except_draft)
      TRY(add_blobs_of_dir(path_join(context_->state.repos, entry.name), live));
  }
  for (const auto& blob : blobs) {
    if (live.contains(blob)) continue;
    TRY(unlink_at(AT_FDCWD, path_join(context_->paths.layers, blob)));
    std::string partial = path_join(context_->state.layers, blob + ".partial");
    if (!exists(partial)) continue;
    Waiting no_wait{std::chrono::milliseconds(0), {}};
    if (auto lock = Lock::acquire(context_->state.layers, blob + ".lock", LockMode::exclusive, no_wait, blob))
      TRY(unlink_at(AT_FDCWD, partial));
  }
  return {};
}

Result<> RepoLock::collect_manifest(const std::string& key) {
  std::string record = path_join(manifest_record_dir(*context_), key);
  if (!exists(record)) return {};
  bool needed = false;
  TRY(walk_images(context_->paths.repos, [&](const ImageName&, const std::string& dir) {
    if (needed) return;
    auto text = read_file(path_join(dir, "manifest"), k_max_manifest);
    needed = text && manifest_key(*text) == key;
  }));
  return needed ? Result<>() : unlink_at(AT_FDCWD, record);
}

}  // namespace udk::store
