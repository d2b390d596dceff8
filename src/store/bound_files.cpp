#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.hpp"
#include "base/path.hpp"
#include "store/container_dir.hpp"
#include "store/dir_entries.hpp"
#include "store/names.hpp"

namespace udk::store {
namespace {

constexpr std::string_view k_originals = ".bind_orig_files";
constexpr std::string_view k_place = ".bind_host_files";

// The directory in which the file is that "#etc#passwd" stands for, and its name there. No symlink is followed.
Result<Fd> open_parent(int root, const std::string& encoded, std::string& name) {
  std::string text = encoded;
  std::replace(text.begin(), text.end(), '#', '/');
  const auto words = path_split(text);
  if (words.empty()) return fail(Code::corrupt, "no path: " + encoded);
  name = words.back();
  TRY_ASSIGN(Fd at, open_dir_at(root, ".", O_NOFOLLOW));
  for (auto word = words.begin(); word + 1 != words.end(); ++word) {
    if (*word == "..") return fail(Code::corrupt, "no path: " + encoded);
    TRY_ASSIGN(Fd next, open_dir_at(at.get(), std::string(*word), O_NOFOLLOW));
    at = std::move(next);
  }
  return at;
}

// Puts an original back, if what is in its place is still the link to what was bound.
Result<> restore(int root, int originals, const std::string& encoded) {
  std::string name;
  TRY_ASSIGN(Fd parent, open_parent(root, encoded, name));
  const auto link = readlink_at(parent.get(), name);
  if (!link || *link != "/" + std::string(k_place) + "/" + encoded) return {};  // somebody has put another one there
  if (::renameat(originals, encoded.c_str(), parent.get(), name.c_str()) != 0) return fail_errno(errno, encoded);
  return {};
}

}  // namespace

Result<> Containers::restore_bound_files(const std::string& id) const {
  TRY_ASSIGN(Lock lock, lock_containers(*context_));
  TRY(check_container(*context_, id));
  const std::string originals = path_join(dir(id), k_originals);
  const auto entries = dir_entries(originals);
  if (!entries) return entries.error().code == Code::not_found ? Result<>() : fail(entries.error());
  TRY_ASSIGN(Fd from, open_dir(originals));
  TRY_ASSIGN(Fd root_fd, open_dir(root(id)));
  for (const auto& entry : *entries) TRY(restore(root_fd.get(), from.get(), entry.name));
  // What is not empty has something in it that is not ours to delete.
  (void)::rmdir(originals.c_str());
  (void)::unlinkat(root_fd.get(), std::string(k_place).c_str(), AT_REMOVEDIR);
  return {};
}

}  // namespace udk::store
