#include "store/layer_sweep.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>

#include "base/file.hpp"
#include "base/path.hpp"
#include "store/dir_entries.hpp"

namespace udk::store {

bool is_older(const std::string& path, std::chrono::seconds age) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) return false;
  return std::chrono::seconds(std::time(nullptr) - st.st_mtim.tv_sec) >= age;
}

void sweep_layers(const Context& context, std::chrono::seconds age) {
  const std::string& state = context.state.layers;
  auto entries = dir_entries(state);
  if (!entries) return;
  for (const auto& entry : *entries) {
    std::string path = path_join(state, entry.name);
    auto dot = entry.name.rfind('.');
    if (dot == std::string::npos || entry.type != EntryType::file || !is_older(path, age)) continue;
    std::string digest = entry.name.substr(0, dot);
    std::string kind = entry.name.substr(dot);
    if (kind != ".partial" && kind != ".lock") continue;
    Waiting no_wait{std::chrono::milliseconds(0), {}};
    // Taking the lock and letting it go removes its file.
    auto lock = Lock::acquire(state, digest + ".lock", LockMode::exclusive, no_wait, digest);
    if (lock && kind == ".partial") (void)unlink_at(AT_FDCWD, path);
  }
}

}  // namespace udk::store
