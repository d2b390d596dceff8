#pragma once

#include <optional>
#include <string>

#include "cli/session.hpp"

namespace udk::cli {

// What `run` runs.
struct RunTarget {
  std::string id;        // "" with --location
  bool created = false;  // by this run
};

// From the words and options of `run`: an existing container, or a new one of an image that is pulled if need be
// (--pull, --name). Nothing that was created stays behind a failure.
Result<RunTarget> select_target(Session& session, const Arguments& arguments);

}  // namespace udk::cli
