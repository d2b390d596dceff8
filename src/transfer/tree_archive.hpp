#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "archive/byte_source.hpp"
#include "archive/limits.hpp"
#include "base/result.hpp"
#include "image/digest.hpp"

namespace udk::transfer {

// Reads an archive of a tree to its end without unpacking it: it is whole, its names stay inside and it keeps the
// limits. Digests that are given are compared. Returns the digest of the plain form. Code::corrupt, Code::excessive,
// Code::unsupported.
Result<image::Digest> read_tree_archive(std::unique_ptr<archive::ByteSource> source,
                                        const std::optional<image::Digest>& stored,
                                        const std::optional<image::Digest>& plain, const archive::Limits& limits);

}  // namespace udk::transfer
