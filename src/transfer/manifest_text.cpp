#include "transfer/manifest_text.hpp"

#include <nlohmann/json.hpp>

#include "image/media_type.hpp"

namespace udk::transfer {
namespace {

using Json = nlohmann::ordered_json;

// Nobody has named a type for xz and bzip2; readers look at the bytes.
std::string layer_type(archive::Compression compression) {
  std::string type = "application/vnd.docker.image.rootfs.diff.tar";
  if (compression == archive::Compression::gzip) type += ".gzip";
  if (compression == archive::Compression::zstd) type += ".zstd";
  return type;
}

Json descriptor(std::string_view type, const store::ReceivedFile& file) {
  return Json{{"mediaType", type}, {"size", file.size}, {"digest", file.digest.text()}};
}

}  // namespace

Result<image::Manifest> make_manifest(const store::ReceivedFile& config, const std::vector<StoredLayer>& layers) {
  Json out{{"schemaVersion", 2}, {"mediaType", image::media_type::k_docker_manifest}};
  out["config"] = descriptor(image::media_type::k_docker_config, config);
  out["layers"] = Json::array();
  for (const auto& layer : layers) out["layers"].push_back(descriptor(layer_type(layer.compression), layer.file));
  return image::parse_manifest(out.dump());
}

}  // namespace udk::transfer
