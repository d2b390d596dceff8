#include "store/paths.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/path.hpp"
#include "store/context.hpp"

namespace udk::store {
namespace {

std::string absolute(const std::string& path) {
  std::string full = path;
  std::array<char, PATH_MAX> here{};
  if ((path.empty() || path.front() != '/') && ::getcwd(here.data(), here.size())) full = path_join(here.data(), path);
  // Behind a symlink ".." is not what the text says: ask the file system.
  if (full.find("..") != std::string::npos) {
    if (auto real = real_path(full)) return *real;
  }
  return path_normalize(full);
}

// A rename from one to the other works: same file system, and no mount point in between.
bool same_mount(const std::string& a, const std::string& b) {
  struct statx at_a {};
  struct statx at_b {};
  constexpr unsigned want = STATX_BASIC_STATS | STATX_MNT_ID;
  if (::statx(AT_FDCWD, a.c_str(), 0, want, &at_a) != 0 || ::statx(AT_FDCWD, b.c_str(), 0, want, &at_b) != 0) {
    struct stat stat_a {};
    struct stat stat_b {};
    return ::stat(a.c_str(), &stat_a) == 0 && ::stat(b.c_str(), &stat_b) == 0 && stat_a.st_dev == stat_b.st_dev;
  }
  bool same_device = at_a.stx_dev_major == at_b.stx_dev_major && at_a.stx_dev_minor == at_b.stx_dev_minor;
  // Without the bit (before Linux 5.8) the field is 0 in both.
  return same_device && at_a.stx_mnt_id == at_b.stx_mnt_id;
}

std::string state_dir(const Paths& paths, const std::string& part, std::string_view name) {
  std::string state(k_state_dir);
  if (part == path_join(paths.top, name) && same_mount(paths.top, part))
    return path_join(path_join(paths.top, state), name);
  return path_join(part, state);
}

}  // namespace

Paths Paths::under(const std::string& top) {
  std::string base = absolute(top);
  return {base,
          path_join(base, "bin"),
          path_join(base, "lib"),
          path_join(base, "doc"),
          path_join(base, "repos"),
          path_join(base, "layers"),
          path_join(base, "containers")};
}

bool is_repository(const Paths& paths) {
  return is_dir(paths.repos) && is_dir(paths.layers) && is_dir(paths.containers);
}

Result<> create_repository(const Paths& paths) {
  for (const auto* dir :
       {&paths.top, &paths.repos, &paths.layers, &paths.containers, &paths.bin, &paths.lib, &paths.doc}) {
    auto made = make_dirs(*dir);
    if (made) continue;
    auto error = std::move(made).error().context("cannot create the repository");
    error.text += "; name a place that can be written with UDOCKER_DIR";
    return fail(std::move(error));
  }
  return {};
}

Result<> create_new_repository(const std::string& dir) {
  const std::string top = absolute(dir);
  const std::string parent(path_dirname(top));
  std::string kept = parent;
  while (!exists(kept) && kept != path_dirname(kept)) kept = path_dirname(kept);
  // Whole or not at all. Always the same name, so that the next attempt goes on with what a killed one has left.
  const std::string staged = path_join(parent, ".udocker-new-" + sha256_hex(path_basename(top)));
  auto done = create_repository(Paths::under(staged));
  if (done) done = rename_at(AT_FDCWD, staged, AT_FDCWD, top);
  if (done) return {};
  (void)remove_tree_at(AT_FDCWD, staged);
  for (std::string made = parent; made.size() > kept.size(); made = path_dirname(made)) (void)::rmdir(made.c_str());
  return done;
}

StateDirs state_dirs(const Paths& paths) {
  return {state_dir(paths, paths.repos, "repos"), state_dir(paths, paths.layers, "layers"),
          state_dir(paths, paths.containers, "containers")};
}

}  // namespace udk::store
