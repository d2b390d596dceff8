#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "archive/ledger.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace udk::archive {

// A walk through a directory tree that cannot leave it. Every step opens one name below an open directory and does not
// follow a symlink; symlinks are read and resolved here, with the root of the tree in the place of "/" and as its own
// "..". The directories on the way stay open, so that neighbours in an archive cost no further look-ups. Nobody else
// may change the tree meanwhile; if somebody does, the walk may end at a wrong place, but inside.
class Tree {
 public:
  // `root` stays the caller's. Changes are told to `ledger`.
  Tree(int root, std::size_t max_depth, Ledger& ledger);

  // Finds out what the umask or a default ACL of the root takes away from the modes of new files.
  Result<> probe_umask();

  // Goes to a directory, named as in EntryPath::dir. Missing ones are made (mode 0755), and other things that stand in
  // the way are replaced.
  Result<> enter(std::string_view dir);
  // The same for a directory that may be missing, or be something else: false, and nothing is changed.
  Result<bool> enter_existing(std::string_view dir);

  // Where it is: an O_PATH descriptor, valid until the next move, and the path without symlinks.
  [[nodiscard]] int fd() const { return levels_.empty() ? root_ : levels_.back().get(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Of a name in the current directory; valid until the next call.
  const std::string& path_of(std::string_view name);

  // Removes a name of the current directory, whatever it is, with all below it.
  Result<> remove(const char* name);
  // A new directory in the current one, with exactly this mode: mkdirat(2), 0 or the errno.
  int make_directory(const char* name, mode_t mode);
  // True if a file opened with this mode gets less.
  [[nodiscard]] bool needs_chmod(mode_t mode) const { return (mode & mask_) != 0; }

 private:
  enum class Missing { make, report };
  enum class Step { done, missing, symlink };
  Result<bool> walk(std::string_view dir, Missing missing);
  Result<Step> descend(const std::string& name, Missing missing);
  Result<Step> replace_by_directory(const std::string& name);
  Result<> push(int fd, std::string_view name);
  void pop();

  int root_;
  std::size_t max_depth_;
  Ledger& ledger_;
  mode_t mask_ = 0777;
  std::vector<Fd> levels_;  // one for each part of path_
  std::string path_;
  std::string asked_;  // what led to path_, perhaps through symlinks
  std::string child_;
};

}  // namespace udk::archive
