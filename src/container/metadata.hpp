#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "container/options.hpp"
#include "image/platform.hpp"

namespace udk::container {

// What a run takes from container.json.
struct Metadata {
  std::string user, working_dir;
  std::vector<std::string> entrypoint, cmd, env, exposed_ports;
  image::Platform platform;  // parts may be ""
};

// Empty text gives empty metadata; with --nometa only the platform is kept, and text that cannot be read is no error.
Result<Metadata> read_metadata(const ContainerInfo& container, const RunOptions& options);

}  // namespace udk::container
