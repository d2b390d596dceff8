#pragma once

#include <string>
#include <vector>

#include "archive/limits.hpp"
#include "base/result.hpp"
#include "store/store.hpp"
#include "transfer/input.hpp"

namespace udk::transfer {

// An image that is to be saved: nobody deletes its blobs meanwhile, and its configuration says the digests of its
// layers.
struct SavedImage {
  store::PinnedImage pinned;
  std::string config;
};

// Code::not_found and Code::corrupt as Images::pin. Reads all layers of an image whose configuration does not name
// them.
Result<SavedImage> prepare_save(store::Store& store, const store::ImageName& name, const archive::Limits& limits);

// Writes the images in the format of `docker save` 1.10 to 24, which everybody reads: manifest.json for those that know
// it, and for the Python tool and older ones repositories and chains of layers. A layer is in it once, as it is stored.
Result<> save_images(const std::vector<SavedImage>& images, int fd, const Cancelled& cancelled);

}  // namespace udk::transfer
