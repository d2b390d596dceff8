#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "image/descriptor.hpp"
#include "image/manifest.hpp"
#include "registry/client.hpp"
#include "registry/session.hpp"

namespace udk::registry {

// A parsed manifest or index whose digest has been verified.
struct VerifiedDocument {
  image::Document document;
  image::Digest digest;
};

// GET /v2/REPOSITORY/manifests/TAG_OR_DIGEST. With a digest the bytes must have it; Docker-Content-Digest, where the
// registry sends it, must agree. Bytes that do not are asked for once more.
Result<VerifiedDocument> get_manifest(Session& session, const std::string& repository, const std::string& tag,
                                      const std::optional<image::Digest>& digest, const std::string& what);

// The same for an entry of an index: also its size and media type must be what the index says.
Result<VerifiedDocument> get_manifest(Session& session, const std::string& repository,
                                      const image::Descriptor& descriptor, const std::string& what);

// From the document of a reference down to the manifest for the first of the wanted platforms that there is.
Result<Resolved> descend(Session& session, const std::string& repository, VerifiedDocument document,
                         std::span<const image::Platform> wanted, const std::string& what);

// All tags of a repository; pages are linked by the Link header (RFC 8288).
Result<std::vector<std::string>> get_tags(Session& session, const std::string& repository);

// The target of rel="next" in a Link header, "" if none.
std::string next_link(std::string_view header);

std::string pull_scope(const std::string& repository);

}  // namespace udk::registry
