#pragma once

#include <string>

#include "cli/registry_client.hpp"
#include "cli/session.hpp"

namespace udk::cli {

// Fetches the image named `text` into the local repository; what it was before is replaced in one step.
Result<store::ImageName> pull_image(Session& session, const std::string& text, const PullOptions& options);

}  // namespace udk::cli
