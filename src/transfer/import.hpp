#pragma once

#include <string>

#include "archive/limits.hpp"
#include "base/result.hpp"
#include "image/platform.hpp"
#include "store/store.hpp"
#include "transfer/input.hpp"

// An archive of one tree, as `docker export` writes it, becomes an image or a container.
namespace udk::transfer {

enum class Source { keep, move };

struct ImportOptions {
  image::Platform platform;  // what the image says that it is for
  Source source = Source::keep;
  archive::Limits limits;
  Cancelled cancelled;
};

// The image `name` with the archive as its only layer, stored as it is. `path` may be "-", but not with Source::move.
// Returns the digest of the layer. Code::exists: there is such an image.
Result<image::Digest> import_image(store::Store& store, const std::string& path, const store::ImageName& name,
                                   const ImportOptions& options);

// A container with the tree of the archive. `image` is what `ps` shows as its image, `alias` may be empty.
Result<std::string> import_container(store::Store& store, const std::string& path, const std::string& image,
                                     const std::string& alias, const ImportOptions& options);

// A container from an archive of a container's directory (`export --clone`): ROOT, metadata and mode.
Result<std::string> import_clone(store::Store& store, const std::string& path, const std::string& alias,
                                 const ImportOptions& options);

}  // namespace udk::transfer
