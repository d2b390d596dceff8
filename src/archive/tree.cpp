#include "archive/tree.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "archive/entry_path.hpp"
#include "archive/limits.hpp"
#include "base/file.hpp"
#include "base/path.hpp"
#include "base/random.hpp"
#include "base/text.hpp"

namespace udk::archive {
namespace {

constexpr unsigned k_max_symlinks = 40;  // as path_resolution(7)
constexpr mode_t k_implied_mode = 0755;

std::string take_part(std::string& rest) {
  const std::size_t begin = rest.find_first_not_of('/');
  if (begin == std::string::npos) {
    rest.clear();
    return {};
  }
  const std::size_t end = std::min(rest.find('/', begin), rest.size());
  std::string part = rest.substr(begin, end - begin);
  rest.erase(0, end);
  return part;
}

}  // namespace

Tree::Tree(int root, std::size_t max_depth, Ledger& ledger) : root_(root), max_depth_(max_depth), ledger_(ledger) {}

Result<> Tree::probe_umask() {
  const std::string name = ".probe-" + random_hex(8);
  struct stat st {};
  if (::mkdirat(root_, name.c_str(), 0777) != 0) return fail_errno(errno, "cannot make a directory in the tree");
  const int found = ::fstatat(root_, name.c_str(), &st, AT_SYMLINK_NOFOLLOW);
  const int err = errno;
  TRY(unlink_at(root_, name, AT_REMOVEDIR));
  if (found != 0) return fail_errno(err, "cannot make a directory in the tree");
  mask_ = 0777U & ~st.st_mode;
  return {};
}

Result<> Tree::enter(std::string_view dir) {
  if (dir == asked_) return {};
  TRY(walk(dir, Missing::make));
  return {};
}

Result<bool> Tree::enter_existing(std::string_view dir) {
  if (dir == asked_) return true;
  return walk(dir, Missing::report);
}

Result<bool> Tree::walk(std::string_view dir, Missing missing) {
  // path_ holds no symlinks, so where `dir` begins like it the same directories are meant.
  while (!path_.empty() && !is_at_or_below(dir, path_)) pop();
  asked_ = path_;
  std::string rest(dir.substr(path_.size()));
  unsigned symlinks = 0;
  while (!rest.empty()) {
    std::string name = take_part(rest);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      if (!path_.empty()) pop();
      asked_ = path_;
      continue;
    }
    TRY_ASSIGN(Step step, descend(name, missing));
    if (step == Step::missing) return false;
    if (step == Step::symlink) {
      if (++symlinks > k_max_symlinks)
        return fail(Code::corrupt, "too many symbolic links on the way to " + printable(dir));
      auto target = readlink_at(fd(), name);
      if (!target) return fail(std::move(target).error().context("cannot read a symbolic link"));
      if (target->starts_with('/'))
        while (!path_.empty()) pop();
      rest.insert(0, *target + "/");
    }
    asked_ = path_;
  }
  asked_ = dir;
  return true;
}

Result<Tree::Step> Tree::descend(const std::string& name, Missing missing) {
  constexpr int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int opened = ::openat(fd(), name.c_str(), flags);
  if (opened < 0 && errno == ENOENT) {
    if (missing == Missing::report) return Step::missing;
    if (int err = make_directory(name.c_str(), k_implied_mode); err != 0)
      return fail_errno(err, "cannot make the directory " + printable(path_of(name)));
    opened = ::openat(fd(), name.c_str(), flags);
  }
  if (opened < 0 && (errno == ENOTDIR || errno == ELOOP)) {
    TRY_ASSIGN(auto st, lstat_at(fd(), name));
    if (st && S_ISLNK(st->st_mode)) return Step::symlink;
    if (missing == Missing::report) return Step::missing;
    return replace_by_directory(name);
  }
  if (opened < 0) return fail_errno(errno, "cannot open the directory " + printable(path_of(name)));
  TRY(push(opened, name));
  return Step::done;
}

Result<Tree::Step> Tree::replace_by_directory(const std::string& name) {
  TRY(remove(name.c_str()));
  return descend(name, Missing::make);
}

Result<> Tree::push(int fd, std::string_view name) {
  Fd owned(fd);
  if (levels_.size() >= max_depth_) return too_deep(max_depth_);
  levels_.push_back(std::move(owned));
  if (!path_.empty()) path_ += '/';
  path_ += name;
  return {};
}

void Tree::pop() {
  levels_.pop_back();
  const std::size_t slash = path_.rfind('/');
  path_.resize(slash == std::string::npos ? 0 : slash);
}

const std::string& Tree::path_of(std::string_view name) {
  child_ = path_;
  if (!child_.empty()) child_ += '/';
  child_ += name;
  return child_;
}

Result<> Tree::remove(const char* name) {
  // A symlink that led here may be what is removed.
  asked_ = path_;
  if (auto removed = remove_tree_at(fd(), name); !removed)
    return fail(std::move(removed).error().context("cannot remove " + printable(path_of(name))));
  ledger_.removed(path_of(name));
  return {};
}

int Tree::make_directory(const char* name, mode_t mode) {
  if (::mkdirat(fd(), name, mode) != 0) return errno;
  // It was made a moment ago, so that it is no symlink that fchmodat could follow.
  if (needs_chmod(mode) && ::fchmodat(fd(), name, mode, 0) != 0) return errno;
  return 0;
}

}  // namespace udk::archive
