#include "archive/whiteout.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/text.hpp"

namespace udk::archive {
namespace {

constexpr std::string_view k_prefix = ".wh.";
constexpr std::string_view k_meta_prefix = ".wh..wh.";
constexpr std::string_view k_opaque = ".wh..wh..opq";
constexpr mode_t k_default_mode = 0755;

// openat(2) with O_DIRECTORY and O_NOFOLLOW; a device that was left out is missing.
bool is_no_directory(int err) { return err == ENOTDIR || err == ELOOP || err == ENOENT; }

}  // namespace

Mark mark_of(const EntryPath& path) {
  std::string_view text = path.text();
  if (text.find(k_prefix) == std::string_view::npos) return Mark::none;
  if (is_at_or_below(text, k_aufs_links)) return Mark::none;
  std::string_view dir = path.dir();
  if (dir.starts_with(k_prefix) || dir.find("/.wh.") != std::string_view::npos) return Mark::ignored;
  std::string_view name = path.name();
  if (!name.starts_with(k_prefix)) return Mark::none;
  if (name == k_opaque) return Mark::opaque;
  std::string_view target = whiteout_target(path);
  if (target.empty() || target == "." || target == "..") return Mark::invalid;
  return name.starts_with(k_meta_prefix) ? Mark::ignored : Mark::whiteout;
}

std::string_view whiteout_target(const EntryPath& path) { return path.name().substr(k_prefix.size()); }

Result<> Whiteouts::hide(const EntryPath& mark) {
  if (!ledger_.has_lower_layers()) return {};
  TRY_ASSIGN(bool there, tree_.enter_existing(mark.dir()));
  if (!there) return {};
  std::string name(whiteout_target(mark));
  return hide_lower(tree_.fd(), tree_.path_of(name), name);
}

Result<> Whiteouts::hide_content(const EntryPath& mark) {
  if (!ledger_.has_lower_layers()) return {};
  if (mark.dir().empty()) {
    TRY(tree_.enter(""));
    return hide_lower_below(tree_.fd(), "");
  }
  EntryPath directory;
  TRY(directory.assign(mark.dir(), SIZE_MAX));
  TRY_ASSIGN(bool there, tree_.enter_existing(directory.dir()));
  if (!there) return {};
  const std::string name(directory.name());
  const std::string path = tree_.path_of(name);
  TRY_ASSIGN(auto st, lstat_at(tree_.fd(), name));
  if (!st) return {};
  if (S_ISDIR(st->st_mode)) {
    TRY(tree_.enter(mark.dir()));
    return hide_lower_below(tree_.fd(), path);
  }
  // In its own layer it is a directory: what a lower layer has in its place, a symlink perhaps, is hidden, not
  // followed.
  return ledger_.origin(path) == Ledger::Origin::lower ? tree_.remove(name.c_str()) : Result<>();
}

Result<> Whiteouts::hide_lower(int dir, const std::string& path, const std::string& name) {
  const Ledger::Origin origin = ledger_.origin(path);
  if (origin == Ledger::Origin::lower) return remove(dir, path, name);
  auto opened = open_at(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!opened && is_no_directory(opened.error().sys_errno)) return {};
  if (!opened) return fail(std::move(opened).error().context("cannot open the directory"));
  TRY(hide_lower_below(opened->get(), path));
  if (origin == Ledger::Origin::own) return {};
  // Its entry was that of a lower layer: what is left is a directory that the current layer implies.
  ledger_.set_owner(path, std::nullopt);
  ledger_.forget_directory_time(path);
  if (::fchmodat(dir, name.c_str(), k_default_mode, 0) != 0)
    return fail_errno(errno, "cannot change the mode of " + printable(path));
  return {};
}

Result<> Whiteouts::hide_lower_below(int dir, const std::string& path) {
  auto names = list_dir(dir);
  if (!names) return fail(std::move(names).error().context("cannot list " + printable(path)));
  for (const std::string& name : *names) TRY(hide_lower(dir, path_join(path, name), name));
  return {};
}

Result<> Whiteouts::remove(int dir, const std::string& path, const std::string& name) {
  if (auto removed = remove_tree_at(dir, name); !removed)
    return fail(std::move(removed).error().context("cannot remove " + printable(path)));
  ledger_.removed(path);
  return {};
}

}  // namespace udk::archive
