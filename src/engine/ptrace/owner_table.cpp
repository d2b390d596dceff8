#include "engine/ptrace/owner_table.hpp"

#include <algorithm>

namespace udk::engine {

Result<> OwnerTable::load(container::OwnerBook& book) {
  book_ = &book;
  return book.read([&](std::string_view path, const container::FileOwner& owner) {
    auto entry = std::make_shared<Entry>();
    entry->belief.owner = owner;
    std::string guest = path.empty() ? std::string() : "/" + std::string(path);
    entry->names.push_back({guest, true});
    by_path_[std::move(guest)] = std::move(entry);
  });
}

void OwnerTable::index(const Shared& entry, const Inode& inode) {
  entry->inode = inode;
  by_inode_[inode] = entry;
  if (watcher_) watcher_(inode.device, inode.number);
}

// A file that was recorded under several names is one, whatever was recorded under the others.
void OwnerTable::adopt(const Shared& entry, std::string_view path) {
  const auto named = by_path_.find(path);
  if (named == by_path_.end() || named->second == entry || named->second->inode) return;
  const Shared other = named->second;
  const bool kept = !other->names.empty() && other->names.front().kept;
  if (other->belief != entry->belief) return name(entry, path, kept);
  entry->names.push_back({std::string(path), kept});
  named->second = entry;
}

// The entry of a file, which from now on is known by its inode.
OwnerTable::Shared OwnerTable::seen(const struct stat& st, std::optional<std::string_view> path) {
  const Inode inode = inode_of(st);
  if (const auto known = by_inode_.find(inode); known != by_inode_.end()) {
    if (!known->second->gone || st.st_nlink == 0) {
      if (path) adopt(known->second, *path);
      return known->second;
    }
    by_inode_.erase(known);  // the number of a file that is gone belongs to a new one
  }
  if (!path) return nullptr;
  const auto named = by_path_.find(*path);
  if (named == by_path_.end()) return nullptr;
  Shared entry = named->second;
  if (entry->inode) {  // the name belongs to another file now: somebody outside has changed it
    unname(*path);
    return nullptr;
  }
  index(entry, inode);
  return entry;
}

const Belief* OwnerTable::find(const struct stat& st, std::optional<std::string_view> path) {
  if (empty()) return nullptr;
  const Shared entry = seen(st, path);
  return entry ? &entry->belief : nullptr;
}

const Belief* OwnerTable::find_path(std::string_view path) const {
  const auto named = by_path_.find(path);
  return named == by_path_.end() ? nullptr : &named->second->belief;
}

void OwnerTable::set(const struct stat& st, std::optional<std::string_view> path, bool kept, const Belief& belief) {
  Shared entry = seen(st, path);
  if (!entry) {
    entry = std::make_shared<Entry>();
    index(entry, inode_of(st));
  }
  entry->belief = belief;
  entry->gone = st.st_nlink == 0;
  if (path && find_path(*path) != &entry->belief) name(entry, *path, kept);
  for (const Name& each : entry->names)
    if (each.kept) record(each.path, belief.owner);
}

void OwnerTable::forget(const struct stat& st, std::optional<std::string_view> path) {
  const Shared entry = seen(st, path);
  if (!entry) return;
  unname_all(*entry);
  by_inode_.erase(inode_of(st));
}

void OwnerTable::expect(std::string_view path, bool kept, const std::optional<Belief>& belief) {
  unname(path);
  if (!belief) return;
  auto entry = std::make_shared<Entry>();
  entry->belief = *belief;
  name(entry, path, kept);
}

void OwnerTable::removed(const struct stat& st, std::optional<std::string_view> path, bool last) {
  if (empty()) return;
  const Shared entry = seen(st, path);
  if (path) (void)take_tree(*path);
  if (!last || !entry) return;
  unname_all(*entry);
  entry->gone = true;
}

void OwnerTable::linked(const struct stat& st, std::string_view to, bool kept) {
  const auto known = by_inode_.find(inode_of(st));
  if (known == by_inode_.end()) return unname(to);  // what was to be made there was not
  known->second->gone = false;
  name(Shared(known->second), to, kept);
}

void OwnerTable::renamed(std::string_view from, std::string_view to, bool kept) {
  if (empty()) return;
  const Tree moved = take_tree(from);
  (void)take_tree(to);
  put_tree(moved, from.size(), to, kept);
}

void OwnerTable::exchanged(std::string_view a, std::string_view b, bool kept) {
  if (empty()) return;
  const Tree first = take_tree(a);
  const Tree second = take_tree(b);
  put_tree(first, a.size(), b, kept);
  put_tree(second, b.size(), a, kept);
}

void OwnerTable::name(const Shared& entry, std::string_view path, bool kept) {
  unname(path);
  entry->names.push_back({std::string(path), kept});
  by_path_[std::string(path)] = entry;
  if (kept) record(path, entry->belief.owner);
}

void OwnerTable::unname(std::string_view path) {
  const auto named = by_path_.find(path);
  if (named == by_path_.end()) return;
  auto& names = named->second->names;
  const auto own = std::find_if(names.begin(), names.end(), [&](const Name& each) { return each.path == path; });
  if (own != names.end()) {
    if (own->kept) record(path, std::nullopt);
    names.erase(own);
  }
  by_path_.erase(named);
}

void OwnerTable::unname_all(const Entry& entry) {
  while (!entry.names.empty()) unname(std::string(entry.names.back().path));
}

void OwnerTable::record(std::string_view path, const std::optional<container::FileOwner>& owner) {
  changes_[std::string(path.empty() ? path : path.substr(1))] = owner;
}

// Takes the name and all below it out of the table.
OwnerTable::Tree OwnerTable::take_tree(std::string_view path) {
  Tree taken;
  if (const auto self = by_path_.find(path); self != by_path_.end()) taken.emplace_back(*self);
  const std::string below = std::string(path) + "/";
  for (auto it = by_path_.lower_bound(below); it != by_path_.end() && it->first.starts_with(below); ++it)
    taken.emplace_back(*it);
  for (const auto& [each, entry] : taken) unname(each);
  return taken;
}

// Gives the entries of a tree their names below another path; `cut` bytes of the old ones are replaced.
void OwnerTable::put_tree(const Tree& tree, std::size_t cut, std::string_view under, bool kept) {
  for (const auto& [path, entry] : tree) name(entry, std::string(under) + path.substr(cut), kept);
}

Result<> OwnerTable::save() {
  container::OwnerBook::Changes changes;
  changes.swap(changes_);
  if (book_ == nullptr || changes.empty()) return {};
  auto written = book_->write(changes);
  if (!written) {
    changes_.merge(changes);  // what has changed since then holds
  }
  return written;
}

}  // namespace udk::engine
