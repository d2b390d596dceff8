#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "image/digest.hpp"
#include "image/platform.hpp"

namespace udk::transfer {

// The remark by which the Python tool marks configurations that it made up.
inline constexpr std::string_view k_made_by_import = "created by udocker";

// The one layer of an imported image.
struct ImportedLayer {
  std::uint64_t size = 0;
  image::Digest diff_id;
};

// An image configuration for a tree that came without one, with the keys and the values that the Python tool gives it;
// `created` is in UTC. A container's has no layer.
std::string made_up_config(const image::Platform& platform, const std::optional<ImportedLayer>& layer);

}  // namespace udk::transfer
