#include "image/media_type.hpp"

#include "base/text.hpp"

namespace udk::image::media_type {

Kind kind_of(std::string_view media_type) {
  if (media_type == k_docker_manifest || media_type == k_oci_manifest) return Kind::manifest;
  if (media_type == k_docker_list || media_type == k_oci_index) return Kind::index;
  if (media_type == k_docker_schema1 || media_type == k_docker_schema1_signed) return Kind::schema1;
  return Kind::other;
}

std::string essence(std::string_view content_type) {
  return to_lower(trim(content_type.substr(0, content_type.find(';'))));
}

}  // namespace udk::image::media_type
