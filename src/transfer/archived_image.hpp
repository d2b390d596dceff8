#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "image/manifest.hpp"
#include "store/intake.hpp"
#include "transfer/members.hpp"

// Archives of images, in the formats that there have been: what images there are, each checked against its digests.
namespace udk::transfer {

struct ArchivedImage {
  std::vector<std::string> names;  // as the archive has them: "NAME:TAG", in OCI layouts also a tag alone
  image::Manifest manifest;
  std::vector<store::ReceivedFile> files;  // the configuration, then the layers, base first
};

// Of any format. Code::corrupt if it is none of them, Code::not_found if a part is missing.
Result<std::vector<ArchivedImage>> archived_images(Members& members);

// `docker save` since 1.10: manifest.json. Since 25 there is an OCI layout beside it, whose manifests are kept.
Result<std::vector<ArchivedImage>> read_docker_archive(Members& members);
// `docker save` before 1.10: repositories, and chains of layers with the configuration in the metadata of the last one.
Result<std::vector<ArchivedImage>> read_legacy_archive(Members& members);
// OCI image-spec, image-layout.md; in nested indexes the image for this machine is taken.
Result<std::vector<ArchivedImage>> read_oci_layout(Members& members);

// The manifests that an OCI layout has, at any depth.
Result<std::vector<image::Manifest>> manifests_of_layout(Members& members);
// The files that a manifest needs, of the size that it says.
Result<std::vector<store::ReceivedFile>> files_of_manifest(Members& members, const image::Manifest& manifest);

}  // namespace udk::transfer
