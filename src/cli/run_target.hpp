#pragma once

#include <string>

#include "cli/session.hpp"

namespace udk::cli {

// What this run has made: of no use to anybody if its payload never starts.
enum class Made { nothing, name, container };

// What `run` runs.
struct RunTarget {
  std::string id;
  Made made = Made::nothing;
};

// From the words and options of `run`: an existing container, or a new one of an image that is pulled if need be
// (--pull, --name). Nothing that was created stays behind a failure.
Result<RunTarget> select_target(Session& session, const Arguments& arguments);

}  // namespace udk::cli
