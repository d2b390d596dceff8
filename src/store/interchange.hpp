#pragma once

#include <string>

#include "store/context.hpp"
#include "store/images.hpp"

namespace udk::store {

// What the Python tool cannot do with an image of this name, though all files are as it wants them; "" if it can do
// all. It splits a name at the first colon, so it finds no repository of a registry with a port; and its `images` does
// not look below the directory of a tag.
std::string limit_in_python_tool(const Context& context, const ImageName& name);

// Tells of that limit. To be called when the image is new.
void tell_limit_in_python_tool(const Context& context, const ImageName& name);

}  // namespace udk::store
