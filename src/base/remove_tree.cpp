#include <fcntl.h>

#include <cerrno>
#include <vector>

#include "base/file.hpp"

namespace udk {
namespace {

// One open directory of the descent: a stack instead of recursion, since a hostile tree can be deeper than our stack.
struct Level {
  Fd fd;
  std::string name;  // in the level above
  std::vector<std::string> left;
};

class Remover {
 public:
  Remover(int dir, Modes modes) : dir_(dir), modes_(modes) {}

  Result<> remove(const std::string& name) {
    take(dir_, name);
    while (!levels_.empty()) {
      Level& top = levels_.back();
      if (top.left.empty()) {
        leave();
        continue;
      }
      std::string next = std::move(top.left.back());
      top.left.pop_back();
      take(top.fd.get(), next);
    }
    if (first_error_) return fail(std::move(*first_error_));
    return {};
  }

 private:
  void keep(Error error) {
    if (!first_error_) first_error_ = std::move(error);
  }

  // Removes a leaf, or opens a directory as the next level.
  void take(int parent, const std::string& name) {
    if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return;
    int err = errno;
    if (err == EACCES && modes_ == Modes::force && make_writable(parent, ".") &&
        ::unlinkat(parent, name.c_str(), 0) == 0)
      return;
    struct stat st {};
    if (::fstatat(parent, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode))
      return keep(sys_error(err, name));
    enter(parent, name);
  }

  void enter(int parent, const std::string& name) {
    auto fd = open_dir_at(parent, name, O_NOFOLLOW);
    if (!fd && modes_ == Modes::force && make_writable(parent, name)) fd = open_dir_at(parent, name, O_NOFOLLOW);
    if (!fd) return keep(std::move(fd).error());
    if (modes_ == Modes::force) make_accessible(fd->get());
    auto names = list_dir(fd->get());
    if (!names) return keep(std::move(names).error().context(name));
    levels_.push_back({std::move(*fd), name, std::move(*names)});
  }

  void leave() {
    std::string name = std::move(levels_.back().name);
    levels_.pop_back();
    int parent = levels_.empty() ? dir_ : levels_.back().fd.get();
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) keep(sys_error(errno, name));
  }

  static void make_accessible(int fd) {
    struct stat st {};
    if (::fstat(fd, &st) == 0 && (st.st_mode & S_IRWXU) != S_IRWXU) (void)::fchmod(fd, (st.st_mode & 07777U) | S_IRWXU);
  }

  // fchmodat follows symlinks: only for a name that lstat shows to be a directory.
  static bool make_writable(int parent, const std::string& name) {
    struct stat st {};
    if (::fstatat(parent, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode)) return false;
    return ::fchmodat(parent, name.c_str(), (st.st_mode & 07777U) | S_IRWXU, 0) == 0;
  }

  int dir_;
  Modes modes_;
  std::vector<Level> levels_;
  std::optional<Error> first_error_;
};

}  // namespace

Result<> remove_tree_at(int dir, const std::string& name, Modes modes) { return Remover(dir, modes).remove(name); }

}  // namespace udk
