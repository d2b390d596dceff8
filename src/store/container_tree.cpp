#include "store/container_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "base/file.hpp"
#include "base/path.hpp"
#include "store/dir_entries.hpp"

namespace udk::store {
namespace {

struct Open {
  Fd fd;
  std::string path;  // for messages
  std::vector<DirEntry> left;
};

// Visits every directory of a tree, with its entries, without following links; a stack of descriptors, so that a name
// replaced meanwhile leads nowhere else.
Result<> walk(const std::string& path, const std::function<Result<>(const Open&)>& visit,
              const std::function<bool(int fd)>& enter) {
  std::vector<Open> stack;
  auto open = [&](int parent, const std::string& name, const std::string& full) -> Result<> {
    auto fd = open_dir_at(parent, name, O_NOFOLLOW);
    if (!fd && fd.error().code == Code::not_found && !stack.empty()) return {};
    if (!fd) return fail(sys_error(fd.error().sys_errno, full));
    if (!enter(fd->get())) return {};
    auto entries = dir_entries(fd->get());
    if (!entries) return fail(std::move(entries).error().context(full));
    stack.push_back({std::move(*fd), full, std::move(*entries)});
    return visit(stack.back());
  };
  TRY(open(AT_FDCWD, path, path));
  while (!stack.empty()) {
    Open& top = stack.back();
    if (top.left.empty()) {
      stack.pop_back();
      continue;
    }
    DirEntry entry = std::move(top.left.back());
    top.left.pop_back();
    if (entry.type == EntryType::directory) TRY(open(top.fd.get(), entry.name, path_join(top.path, entry.name)));
  }
  return {};
}

}  // namespace

Result<std::uint64_t> tree_size_mb(const std::string& path) {
  struct stat root {};
  if (::lstat(path.c_str(), &root) != 0) return fail_errno(errno, path);
  std::uint64_t blocks = 0;
  std::set<ino_t> linked;
  auto add = [&](const struct stat& st) {
    if (st.st_nlink < 2 || S_ISDIR(st.st_mode) || linked.insert(st.st_ino).second)
      blocks += static_cast<std::uint64_t>(st.st_blocks);
  };
  auto enter = [&](int fd) {
    struct stat st {};
    if (::fstat(fd, &st) != 0 || st.st_dev != root.st_dev) return false;
    add(st);
    return true;
  };
  auto visit = [&](const Open& dir) -> Result<> {
    for (const auto& entry : dir.left) {
      struct stat st {};
      if (entry.type != EntryType::directory &&
          ::fstatat(dir.fd.get(), entry.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == root.st_dev)
        add(st);
    }
    return {};
  };
  TRY(walk(path, visit, enter));
  constexpr std::uint64_t blocks_per_mb = 2048;  // st_blocks counts 512 bytes (stat(2))
  return (blocks + blocks_per_mb - 1) / blocks_per_mb;
}

Result<> check_removable(const std::string& path) {
  auto visit = [](const Open& dir) -> Result<> {
    if (dir.left.empty() || ::faccessat(dir.fd.get(), ".", W_OK | X_OK, AT_EACCESS) == 0) return {};
    return fail_errno(errno, dir.path);
  };
  return walk(path, visit, [](int) { return true; });
}

}  // namespace udk::store
