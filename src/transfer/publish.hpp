#pragma once

#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"

namespace udk::transfer {

// The image `name` is this manifest from now on; `files` are the blobs that it needs of the intake. All or nothing.
Result<> publish_image(store::Store& store, store::Intake& intake, const store::ImageName& name,
                       const image::Manifest& manifest, const std::vector<store::ReceivedFile>& files);

// Code::exists if there is an image of that name, Code::usage if it can be none.
Result<> check_image_is_new(const store::Store& store, const store::ImageName& name);

}  // namespace udk::transfer
