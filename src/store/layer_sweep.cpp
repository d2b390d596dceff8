#include "store/layer_sweep.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>

#include "base/file.hpp"
#include "base/path.hpp"
#include "store/dir_entries.hpp"

namespace udk::store {

namespace {

void sweep_intake(const std::string& state, const std::string& name) {
  Waiting no_wait{std::chrono::milliseconds(0), {}};
  auto dead = Lock::acquire(state, name + ".lock", LockMode::exclusive, no_wait, name);
  if (dead) (void)remove_tree_at(AT_FDCWD, path_join(state, name));
}

}  // namespace

bool is_older(const std::string& path, std::chrono::seconds age) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) return false;
  return std::chrono::seconds(std::time(nullptr) - st.st_mtim.tv_sec) >= age;
}

void sweep_layers(const Context& context, std::chrono::seconds age) {
  const std::string& state = context.state.layers;
  auto entries = dir_entries(state);
  if (!entries) return;
  constexpr std::string_view suffix = ".partial";
  for (const auto& entry : *entries) {
    std::string path = path_join(state, entry.name);
    if (entry.type == EntryType::directory && entry.name.starts_with(k_intake_prefix)) sweep_intake(state, entry.name);
    if (!entry.name.ends_with(suffix) || !is_older(path, age)) continue;
    std::string digest = entry.name.substr(0, entry.name.size() - suffix.size());
    Waiting no_wait{std::chrono::milliseconds(0), {}};
    auto lock = Lock::acquire(state, digest + ".lock", LockMode::exclusive, no_wait, digest);
    if (lock) (void)unlink_at(AT_FDCWD, path);
  }
  Lock::sweep(state);
}

}  // namespace udk::store
