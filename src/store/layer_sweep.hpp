#pragma once

#include <chrono>
#include <string>

#include "store/context.hpp"

namespace udk::store {

// Removes what dead processes left in the state directory of `layers`: locks, and partial blobs that nobody touched for
// `age`.
void sweep_layers(const Context& context, std::chrono::seconds age);

// The file was changed at least `age` ago.
bool is_older(const std::string& path, std::chrono::seconds age);

}  // namespace udk::store
