#pragma once

#include <string>
#include <string_view>

namespace udk::image::media_type {

inline constexpr std::string_view k_docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view k_docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view k_docker_schema1 = "application/vnd.docker.distribution.manifest.v1+json";
inline constexpr std::string_view k_docker_schema1_signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";
inline constexpr std::string_view k_oci_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view k_oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view k_docker_config = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view k_oci_config = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view k_oci_empty = "application/vnd.oci.empty.v1+json";

// What a document of this type is.
enum class Kind { manifest, index, schema1, other };
Kind kind_of(std::string_view media_type);

// A Content-Type header without parameters, in lower case: "application/json; charset=utf-8" -> "application/json".
std::string essence(std::string_view content_type);

}  // namespace udk::image::media_type
