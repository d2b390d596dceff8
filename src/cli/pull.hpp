#pragma once

#include <string>
#include <vector>

#include "cli/option.hpp"
#include "cli/session.hpp"

namespace udk::cli {

struct PullOptions {
  std::string platform, registry, index, http_proxy;
};
// --platform, --registry, --index, --httpproxy of `pull` and `run`.
PullOptions pull_options(const Arguments& arguments);

// Fetches the image named `text` into the local repository; what it was before is replaced in one step.
Result<store::ImageName> pull_image(Session& session, const std::string& text, const PullOptions& options);

// Fetches these parts of an image again, from where its name says; those that are whole cost nothing.
Result<> fetch_parts(Session& session, const store::ImageName& name, const image::Manifest& manifest,
                     const std::vector<image::Descriptor>& parts, const PullOptions& options);

}  // namespace udk::cli
