#pragma once

#include <cstdint>
#include <string_view>

#include "guest/layout.hpp"

namespace udk::guest {

// The code for guest processes, to be put at its place behind the loader (layout.hpp). It is data of udocker itself.
std::string_view runtime_image();
// Where things are in it.
const RuntimeHeader& runtime_header();

}  // namespace udk::guest
