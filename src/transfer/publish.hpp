#pragma once

#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"

namespace udk::transfer {

struct NewImage {
  store::ImageName name;
  image::Manifest manifest;
  std::vector<store::ReceivedFile> files;  // the configuration, then the layers, base first
};

// The images exist from now on, all of them or none.
Result<> publish_images(store::Store& store, store::Intake& intake, const std::vector<NewImage>& images);

// Code::exists if there is an image of that name, Code::usage if it can be none.
Result<> check_image_is_new(const store::Store& store, const store::ImageName& name);

}  // namespace udk::transfer
