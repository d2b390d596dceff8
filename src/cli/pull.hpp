#pragma once

#include <string>
#include <vector>

#include "cli/registry_client.hpp"
#include "cli/session.hpp"

namespace udk::cli {

// Fetches the image named `text` into the local repository; what it was before is replaced in one step.
Result<store::ImageName> pull_image(Session& session, const std::string& text, const PullOptions& options);

// Fetches these parts of an image again, from where its name says; those that are whole cost nothing.
Result<> fetch_parts(Session& session, const store::ImageName& name, const image::Manifest& manifest,
                     const std::vector<image::Descriptor>& parts, const PullOptions& options);

}  // namespace udk::cli
