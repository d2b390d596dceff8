#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "image/descriptor.hpp"
#include "image/platform.hpp"

namespace udk::image {

// A larger manifest or index is refused (OCI distribution-spec asks for 4 MiB).
inline constexpr std::size_t k_max_manifest_size = std::size_t{4} << 20;

// An image manifest, Docker version 2 schema 2 or OCI. `raw` are the bytes as received: digests are computed over them.
struct Manifest {
  std::string raw;
  std::string media_type;
  std::string artifact_type;  // not empty: something else than a container image
  Descriptor config;
  std::vector<Descriptor> layers;  // base first

  // The configuration and the layers, each content once: an image may use a layer twice. Code::corrupt if one digest
  // is given two sizes.
  [[nodiscard]] Result<std::vector<Descriptor>> blobs() const;
  // Code::unsupported, naming the type, if this is no container image but an artifact (chart, signature, attestation).
  [[nodiscard]] Result<> check_is_image() const;
};

// A manifest list or an OCI index.
struct Index {
  std::string raw;
  std::string media_type;
  std::vector<Descriptor> entries;  // in the order of the document; entries with an unreadable digest are left out

  // The entry for `wanted`: the best variant, the first of equals; attestations and unknown/unknown never. An entry
  // without platform is taken if no entry has a fitting one. None: Code::not_found that lists what is available.
  [[nodiscard]] Result<Descriptor> choose(const Platform& wanted) const;
  // The same for the first of several platforms that there is an entry for.
  [[nodiscard]] Result<Descriptor> choose(std::span<const Platform> wanted) const;
  // All entries that may serve, the best first, those without platform last. None: as choose().
  [[nodiscard]] Result<std::vector<Descriptor>> candidates(std::span<const Platform> wanted) const;
  // The platforms of the entries that are images, each once.
  [[nodiscard]] std::vector<std::string> available() const;
};

using Document = std::variant<Manifest, Index>;

// `announced` is the Content-Type or the media type of the descriptor that led here ("" or a generic JSON type says
// nothing). Refused: schema 1 (Code::unsupported), documents with both `layers` and `manifests`, a type in the body
// other than the announced one (CVE-2021-41190), broken digests or sizes, deep nesting, more than k_max_manifest_size.
Result<Document> parse_document(std::string raw, std::string_view announced);
// The same for text of a local file which must be a manifest.
Result<Manifest> parse_manifest(std::string raw, std::string_view announced = {});

}  // namespace udk::image
