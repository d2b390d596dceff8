#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/path.hpp"
#include "store/container_dir.hpp"
#include "store/dir_entries.hpp"
#include "store/names.hpp"

namespace udk::store {
namespace {

constexpr std::string_view k_record_dir = ".mountpoints";

// "#mnt#d1" stands for "/mnt/d1". A name with ".." in it was never written by either tool.
std::vector<std::string> decode(std::string text) {
  std::replace(text.begin(), text.end(), '#', '/');
  std::vector<std::string> out;
  for (auto word : path_split(text)) out.emplace_back(word);
  if (std::find(out.begin(), out.end(), "..") != out.end()) out.clear();
  return out;
}

// An empty directory or an empty file goes, nothing else.
bool remove_empty(int dir, const std::string& name) {
  if (::unlinkat(dir, name.c_str(), AT_REMOVEDIR) == 0) return true;
  struct stat st {};
  if (::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
  return S_ISREG(st.st_mode) && st.st_size == 0 && ::unlinkat(dir, name.c_str(), 0) == 0;
}

// The leaf and the directories above it that are deeper than `keep`, by descriptors: no symlink is followed.
void remove_upwards(int root, const std::vector<std::string>& path, std::size_t keep) {
  std::vector<Fd> dirs;
  int at = root;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    auto next = open_dir_at(at, path[i], O_NOFOLLOW);
    if (!next) break;
    dirs.push_back(std::move(*next));
    at = dirs.back().get();
  }
  // Where the way ends early, the rest is gone already.
  for (std::size_t depth = dirs.size() + 1; depth > keep; --depth) {
    int parent = depth == 1 ? root : dirs[depth - 2].get();
    if (!remove_empty(parent, path[depth - 1])) return;
  }
}

}  // namespace

Result<> Containers::purge_mount_points(const std::string& id) const {
  TRY_ASSIGN(Lock lock, lock_containers(*context_));
  TRY(check_container(*context_, id));
  std::string record = path_join(dir(id), k_record_dir);
  auto entries = dir_entries(record);
  if (!entries) return entries.error().code == Code::not_found ? Result<>() : fail(std::move(entries).error());
  TRY_ASSIGN(Fd root_fd, open_dir(root(id)));
  for (const auto& entry : *entries) {
    auto ancestor = readlink_at(AT_FDCWD, path_join(record, entry.name));
    auto path = decode(entry.name);
    if (!ancestor || path.empty()) continue;
    auto kept = decode(*ancestor);
    bool above = kept.size() < path.size() && std::equal(kept.begin(), kept.end(), path.begin());
    if (above) remove_upwards(root_fd.get(), path, kept.size());
  }
  return remove_tree_at(AT_FDCWD, record);
}

}  // namespace udk::store
