#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "store/lock.hpp"
#include "store/paths.hpp"

// What the parts of the store share; not for other modules.
namespace udk::store {

inline constexpr std::string_view k_state_dir = ".state";

// Where the working files of each part are: locks, staging, trash. On the file system of the part, so that rename
// works, and not inside it, so that the Python tool never takes them for data: top/.state/PART. Only a part that was
// moved to another file system or directory has them in PART/.state.
struct StateDirs {
  std::string repos, layers, containers;
};

struct Context {
  Paths paths;
  StateDirs state;
  Waiting waiting;
};

StateDirs state_dirs(const Paths& paths);

}  // namespace udk::store
