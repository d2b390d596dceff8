#include "image/manifest.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "image/json.hpp"
#include "image/media_type.hpp"

namespace udk::image {
namespace {

using media_type::Kind;
using Json = nlohmann::json;

// More layers than any runtime can stack is an attack, not an image.
constexpr std::size_t k_max_layers = 4096;
constexpr std::size_t k_max_entries = 16384;

Result<std::uint64_t> size_of(const Json& object, const std::string& what) {
  const auto* size = json::member(object, "size");
  if (!size || !size->is_number_unsigned()) return fail(Code::corrupt, what + ": the size is missing or not a number");
  auto value = size->get<std::uint64_t>();
  if (value > INT64_MAX) return fail(Code::corrupt, what + ": the size is out of range");
  return value;
}

Platform platform_of(const Json& object) {
  return {json::text_of(object, "os"), json::text_of(object, "architecture"), json::text_of(object, "variant")};
}

Result<Descriptor> descriptor_of(const Json& object, const std::string& what) {
  if (!object.is_object()) return fail(Code::corrupt, what + ": not a descriptor");
  auto digest = Digest::parse(json::text_of(object, "digest"));
  if (!digest) return fail(std::move(digest).error().context(what));
  TRY_ASSIGN(auto size, size_of(object, what));
  Descriptor out{json::text_of(object, "mediaType"), std::move(*digest), size, {}, {}, {}, std::nullopt};
  out.artifact_type = json::text_of(object, "artifactType");
  if (const auto* annotations = json::member(object, "annotations"); annotations && annotations->is_object())
    for (const auto& [key, value] : annotations->items())
      if (value.is_string()) out.annotations[key] = value.get<std::string>();
  if (const auto* urls = json::member(object, "urls"); urls && urls->is_array())
    for (const auto& url : *urls)
      if (url.is_string()) out.urls.push_back(url.get<std::string>());
  if (const auto* platform = json::member(object, "platform"); platform && platform->is_object())
    out.platform = platform_of(*platform);
  return out;
}

Unexpected refuse_schema1() {
  return fail(Code::unsupported,
              "the image has only a manifest of the obsolete version 2 schema 1, which is not supported: it cannot be "
              "verified; ask its publisher to push it again with a current tool");
}

// What the document says it is: the body's mediaType, else its members; checked against the announced type.
Result<std::string> settle_type(const Json& document, std::string_view announced) {
  auto type = json::text_of(document, "mediaType");
  auto expected = media_type::essence(announced);
  auto version = json::member(document, "schemaVersion");
  if (media_type::kind_of(type) == Kind::schema1 || document.contains("fsLayers") ||
      (version && version->is_number_unsigned() && version->get<unsigned>() == 1))
    return refuse_schema1();
  bool manifest = document.contains("layers") || document.contains("config");
  bool index = document.contains("manifests");
  if (manifest && index)
    return fail(Code::corrupt, "the document is both a manifest and an index (layers and manifests): refused");
  if (!manifest && !index) return fail(Code::corrupt, "the document is neither an image manifest nor an index");
  bool expectation = media_type::kind_of(expected) != Kind::other;
  if (type.empty() && expectation) type = expected;
  if (type.empty()) type = index ? media_type::k_oci_index : media_type::k_oci_manifest;
  if (expectation && type != expected)
    return fail(Code::corrupt, "the document says that it is " + printable(type) + ", but it was announced as " +
                                   printable(expected) + ": refused");
  auto kind = media_type::kind_of(type);
  if (kind == Kind::schema1) return refuse_schema1();
  if (kind == Kind::other) return fail(Code::unsupported, "unknown type of manifest: " + printable(type));
  if ((kind == Kind::index) != index)
    return fail(Code::corrupt, "the document's members do not fit its type " + printable(type) + ": refused");
  return type;
}

Result<Manifest> manifest_of(std::string raw, std::string type, const Json& document) {
  const auto* config = json::member(document, "config");
  if (!config) return fail(Code::corrupt, "the manifest has no config");
  TRY_ASSIGN(auto config_descriptor, descriptor_of(*config, "manifest: config"));
  std::vector<Descriptor> layers;
  if (const auto* list = json::member(document, "layers")) {
    if (!list->is_array() || list->size() > k_max_layers)
      return fail(Code::corrupt, "the manifest's layers are not a list of at most " + std::to_string(k_max_layers));
    for (const auto& layer : *list) {
      TRY_ASSIGN(auto descriptor, descriptor_of(layer, "manifest: layer " + std::to_string(layers.size())));
      layers.push_back(std::move(descriptor));
    }
  }
  return Manifest{std::move(raw), std::move(type), json::text_of(document, "artifactType"),
                  std::move(config_descriptor), std::move(layers)};
}

Result<Index> index_of(std::string raw, std::string type, const Json& document) {
  const auto* list = json::member(document, "manifests");
  if (!list || !list->is_array() || list->size() > k_max_entries)
    return fail(Code::corrupt, "the index has no list of manifests");
  Index out{std::move(raw), std::move(type), {}};
  // One entry that we cannot read must not hide the others: newer digests and types appear in indexes first.
  for (const auto& entry : *list)
    if (auto descriptor = descriptor_of(entry, "index entry")) out.entries.push_back(std::move(*descriptor));
  return out;
}

bool is_attestation(const Descriptor& entry) {
  auto type = entry.annotations.find("vnd.docker.reference.type");
  if (type != entry.annotations.end()) return true;
  return entry.platform && entry.platform->os == "unknown" && entry.platform->architecture == "unknown";
}

// How well an entry serves the first of the wanted platforms that it serves at all: smaller is better.
using Rank = std::pair<std::size_t, std::size_t>;

std::optional<Rank> rank_of(const Descriptor& entry, std::span<const Platform> wanted) {
  // An entry without platform, an inner index for example, comes after all that fit.
  if (!entry.platform) return Rank(SIZE_MAX, SIZE_MAX);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (auto rank = platform_rank(*entry.platform, wanted[i])) return Rank(i, *rank);
  return std::nullopt;
}

bool is_candidate(const Descriptor& entry) {
  auto kind = media_type::kind_of(entry.media_type);
  bool readable = kind == Kind::manifest || kind == Kind::index || entry.media_type.empty();
  return readable && !is_attestation(entry) && entry.artifact_type.empty();
}

}  // namespace

Result<std::vector<Descriptor>> Manifest::blobs() const {
  std::vector<Descriptor> out{config};
  std::map<Digest, std::uint64_t> seen{{config.digest, config.size}};
  for (const auto& layer : layers) {
    auto [it, is_new] = seen.emplace(layer.digest, layer.size);
    if (it->second != layer.size)
      return fail(Code::corrupt, "the manifest gives " + layer.digest.text() + " two different sizes");
    if (is_new) out.push_back(layer);
  }
  return out;
}

Result<> Manifest::check_is_image() const {
  using namespace media_type;
  std::string what = artifact_type;
  // Old images of Docker Hub carry a generic type for their configuration.
  const auto& type = config.media_type;
  bool image_config =
      type.empty() || type == k_docker_config || type == k_oci_config || type == "application/octet-stream";
  if (what.empty() && !image_config) what = type;
  if (what.empty()) return {};
  return fail(Code::unsupported, "this is not a container image but an artifact of type " + printable(what));
}

Result<Descriptor> Index::choose(const Platform& wanted) const { return choose(std::span(&wanted, 1)); }

Result<Descriptor> Index::choose(std::span<const Platform> wanted) const {
  TRY_ASSIGN(auto all, candidates(wanted));
  return std::move(all.front());
}

Result<std::vector<Descriptor>> Index::candidates(std::span<const Platform> wanted) const {
  std::vector<std::pair<Rank, const Descriptor*>> ranked;
  for (const auto& entry : entries) {
    if (!is_candidate(entry)) continue;
    if (auto rank = rank_of(entry, wanted)) ranked.emplace_back(*rank, &entry);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Descriptor> out;
  out.reserve(ranked.size());
  for (const auto& [rank, entry] : ranked) out.push_back(*entry);
  if (!out.empty()) return out;
  auto list = available();
  return fail(Code::not_found, "no image for platform " + wanted.front().text() + " (" +
                                   (list.empty() ? "the index holds no images" : "available: " + join(list, ", ")) +
                                   ")");
}

std::vector<std::string> Index::available() const {
  std::vector<std::string> out;
  for (const auto& entry : entries) {
    if (!is_candidate(entry) || !entry.platform) continue;
    auto text = printable(entry.platform->text());
    if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(std::move(text));
  }
  return out;
}

Result<Document> parse_document(std::string raw, std::string_view announced) {
  TRY_ASSIGN(auto document, json::parse_object(raw, "the manifest", k_max_manifest_size));
  TRY_ASSIGN(auto type, settle_type(document, announced));
  if (media_type::kind_of(type) == Kind::index) {
    TRY_ASSIGN(auto index, index_of(std::move(raw), std::move(type), document));
    return Document(std::move(index));
  }
  TRY_ASSIGN(auto manifest, manifest_of(std::move(raw), std::move(type), document));
  return Document(std::move(manifest));
}

Result<Manifest> parse_manifest(std::string raw, std::string_view announced) {
  TRY_ASSIGN(auto document, parse_document(std::move(raw), announced));
  if (auto* manifest = std::get_if<Manifest>(&document)) return std::move(*manifest);
  return fail(Code::corrupt, "an index stands where a manifest is expected");
}

}  // namespace udk::image
