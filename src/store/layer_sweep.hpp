#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "store/context.hpp"

namespace udk::store {

// The directories of Intake: intake-X, and intake-X.lock, held as long as its process lives.
inline constexpr std::string_view k_intake_prefix = "intake-";

// Removes what dead processes left in the state directory of `layers`: locks, the files of archives, and partial blobs
// that nobody touched for `age`.
void sweep_layers(const Context& context, std::chrono::seconds age);

// The file was changed at least `age` ago.
bool is_older(const std::string& path, std::chrono::seconds age);

}  // namespace udk::store
