#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/limits.hpp"
#include "base/result.hpp"
#include "image/manifest.hpp"
#include "store/store.hpp"
#include "transfer/input.hpp"

namespace udk::transfer {

// Something that is wrong with an image.
struct Fault {
  std::string part;                       // "layer sha256:...", "configuration sha256:...", "manifest"
  std::string what;                       // and how it is wrong
  std::optional<image::Descriptor> blob;  // what has to be fetched again; none if the registry cannot tell
};

struct ImageReport {
  std::vector<Fault> faults;
  std::optional<image::Manifest> manifest;  // none in the old formats, or if it cannot be read
};

struct VerifyOptions {
  std::function<void(const std::string& part)> on_good;
  archive::Limits limits;
  Cancelled cancelled;
};

// Reads all of an image: that each part is there, has the size and the digest that the manifest says, that each layer
// is an archive that can be unpacked, and has the digest that the configuration says. Code::not_found: no such image.
Result<ImageReport> verify_image(const store::Store& store, const store::ImageName& name, const VerifyOptions& options);

}  // namespace udk::transfer
