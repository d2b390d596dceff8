#pragma once

#include <string>
#include <vector>

#include "archive/decoder.hpp"
#include "base/result.hpp"
#include "image/manifest.hpp"
#include "store/intake.hpp"

namespace udk::transfer {

struct StoredLayer {
  store::ReceivedFile file;
  archive::Compression compression = archive::Compression::none;
};

// A manifest for an image that came without one: Docker's version 2 schema 2.
Result<image::Manifest> make_manifest(const store::ReceivedFile& config, const std::vector<StoredLayer>& layers);

}  // namespace udk::transfer
