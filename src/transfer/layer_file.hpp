#pragma once

#include <vector>

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

// Looks what the file is; a compressed one is read to the end.
Result<CheckedLayer> check_layer(const store::ReceivedFile& file);

// A configuration text with these layers in its rootfs.
Result<std::string> with_diff_ids(const std::string& config, const std::vector<CheckedLayer>& layers);

// The image that a configuration and the layers are, with a manifest made for it.
Result<image::Manifest> manifest_for(const store::ReceivedFile& config, const std::vector<CheckedLayer>& layers);

}  // namespace udk::transfer
