#pragma once

#include <string>

#include "base/result.hpp"
#include "store/context.hpp"
#include "store/images.hpp"

namespace udk::store {

// Reads the metadata of the image in the directory `dir`; see Images::load.
Result<ImageData> read_image(const Context& context, const ImageName& name, const std::string& dir);

}  // namespace udk::store
