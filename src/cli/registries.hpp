#pragma once

#include <string>
#include <vector>

#include "cli/config.hpp"
#include "registry/registries.hpp"

namespace udk::cli {

// The files of containers-registries.conf(5) that are there, in the order in which they are read. Code::not_found: the
// one that CONTAINERS_REGISTRIES_CONF names is missing.
Result<std::vector<std::string>> registries_files(const ConfigSources& sources, const std::string& system_dir);

// What they say. A file that cannot be understood is an error: it may forbid a registry.
Result<registry::Registries> load_registries();

}  // namespace udk::cli
