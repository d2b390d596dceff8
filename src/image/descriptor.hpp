#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/digest.hpp"
#include "image/platform.hpp"

namespace udk::image {

// A reference to content: what it is, its digest and its size in bytes (OCI image-spec, descriptor.md).
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::map<std::string, std::string> annotations;
  std::vector<std::string> urls;  // other places of the content; never followed
  std::string artifact_type;
  std::optional<Platform> platform;  // of an entry of an index
};

}  // namespace udk::image
