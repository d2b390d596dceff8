#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "container/owner_book.hpp"

// Owners, set-id bits and device numbers that guests believe in and the disk does not have. A file is known by its
// inode as soon as it was seen once, so that hard links, renames and descriptors need no care; before that by the
// guest path under which it was recorded. Guest paths are canonical as xlate::Resolution gives them ("" is "/").
namespace udk::engine {

// What is believed of a file.
struct Belief {
  container::FileOwner owner;
  mode_t type = 0;  // of a device node that the disk has as a plain file; else 0. Lives as long as the run.
  dev_t device = 0;

  friend bool operator==(const Belief&, const Belief&) = default;
};

class OwnerTable {
 public:
  // Told of each file of which something is believed, once it is known by its inode.
  void set_watcher(std::function<void(dev_t, ino_t)> watcher) { watcher_ = std::move(watcher); }
  // Calls f with each path under which something is believed of a file that was not seen yet.
  template <class F>
  void for_each_unseen(F f) const {
    std::vector<std::string> paths;
    for (const auto& [path, entry] : by_path_)
      if (!entry->inode) paths.push_back(path);
    for (const std::string& path : paths) f(path);
  }

  template <class F>
  void for_each_inode(F f) const {
    for (const auto& [inode, entry] : by_inode_) f(inode.device, inode.number);
  }

  // Takes up what the book has.
  Result<> load(container::OwnerBook& book);
  [[nodiscard]] bool empty() const { return by_path_.empty() && by_inode_.empty(); }

  // What is believed of the file `st`; `path` is its guest path, if known. Null: the disk tells all.
  const Belief* find(const struct stat& st, std::optional<std::string_view> path);
  // Like find(), without a file: what was recorded under this path.
  [[nodiscard]] const Belief* find_path(std::string_view path) const;

  // From now on this is believed of the file; `kept`: the path lies in the container's own tree.
  void set(const struct stat& st, std::optional<std::string_view> path, bool kept, const Belief& belief);
  // The disk tells all from now on.
  void forget(const struct stat& st, std::optional<std::string_view> path);
  // A new file is about to appear at `path`: what was believed of another one there is void; `belief` is the new one's.
  void expect(std::string_view path, bool kept, const std::optional<Belief>& belief);

  // The name, if it is known, is gone; `last`: so is the file, for all who do not have it open. `st` is from before.
  void removed(const struct stat& st, std::optional<std::string_view> path, bool last);
  void linked(const struct stat& st, std::string_view to, bool kept);
  // A name, and the tree below it, has another name now.
  void renamed(std::string_view from, std::string_view to, bool kept);
  void exchanged(std::string_view a, std::string_view b, bool kept);

  // Hands the changes since the last time to the book. After an error they are handed over again the next time.
  Result<> save();
  [[nodiscard]] bool changed() const { return !changes_.empty(); }

 private:
  struct Inode {
    dev_t device;
    ino_t number;
    bool operator==(const Inode&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Inode& i) const { return i.number * 31U + i.device; }
  };
  struct Name {
    std::string path;
    bool kept;  // the book has it
  };
  struct Entry {
    Belief belief;
    std::vector<Name> names;
    std::optional<Inode> inode;
    bool gone = false;  // the file has no name any more, but may be open
  };
  using Shared = std::shared_ptr<Entry>;

  static Inode inode_of(const struct stat& st) { return {st.st_dev, st.st_ino}; }
  void index(const Shared& entry, const Inode& inode);
  void adopt(const Shared& entry, std::string_view path);
  Shared seen(const struct stat& st, std::optional<std::string_view> path);
  void name(const Shared& entry, std::string_view path, bool kept);
  void unname(std::string_view path);
  void unname_all(const Entry& entry);
  void record(std::string_view path, const std::optional<container::FileOwner>& owner);
  using Tree = std::vector<std::pair<std::string, Shared>>;
  Tree take_tree(std::string_view path);
  void put_tree(const Tree& tree, std::size_t cut, std::string_view under, bool kept);

  std::function<void(dev_t, ino_t)> watcher_;
  container::OwnerBook* book_ = nullptr;
  container::OwnerBook::Changes changes_;
  std::map<std::string, Shared, std::less<>> by_path_;
  std::unordered_map<Inode, Shared, Hash> by_inode_;
};

}  // namespace udk::engine
