#pragma once

#include <vector>

#include "archive/limits.hpp"
#include "base/result.hpp"
#include "image/digest.hpp"
#include "transfer/manifest_text.hpp"
#include "transfer/members.hpp"

namespace udk::transfer {

// A layer of an archive with the digest of its plain form.
struct CheckedLayer {
  StoredLayer stored;
  image::Digest diff_id;
};

// Of the content of an archive, plain or compressed, which is read to the end.
Result<image::Digest> plain_digest(const std::string& path, const archive::Limits& limits);

// Looks what the file is; a compressed one is read to the end.
Result<CheckedLayer> check_layer(const store::ReceivedFile& file, const archive::Limits& limits);

std::vector<image::Digest> diff_ids_of(const std::vector<CheckedLayer>& layers);

// A configuration text with these layers in its rootfs.
Result<std::string> with_diff_ids(const std::string& config, const std::vector<image::Digest>& diff_ids);

// The image that a configuration and the layers are, with a manifest made for it.
Result<image::Manifest> manifest_for(const store::ReceivedFile& config, const std::vector<CheckedLayer>& layers);

}  // namespace udk::transfer
