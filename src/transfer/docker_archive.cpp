#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "image/image_config.hpp"
#include "image/json.hpp"
#include "transfer/archived_image.hpp"
#include "transfer/layer_file.hpp"
#include "transfer/metadata.hpp"

namespace udk::transfer {
namespace {

using UnorderedJson = nlohmann::json;

constexpr std::size_t k_max_images = 10'000;

// One element of manifest.json.
struct Saved {
  std::string config;
  std::vector<std::string> tags, layers;
};

Result<std::vector<std::string>> texts_of(const UnorderedJson& object, const char* key) {
  std::vector<std::string> out;
  const auto* list = image::json::member(object, key);
  if (!list) return out;
  const bool good = list->is_array() &&
                    std::all_of(list->begin(), list->end(), [](const UnorderedJson& item) { return item.is_string(); });
  if (!good) return fail(Code::corrupt, std::string("manifest.json: ") + key + " is no list of texts");
  return list->get<std::vector<std::string>>();
}

Result<std::vector<Saved>> read_list(Members& members) {
  TRY_ASSIGN(auto text, members.text("manifest.json"));
  auto list = UnorderedJson::parse(text, nullptr, false);
  if (!list.is_array() || list.size() > k_max_images) return fail(Code::corrupt, "manifest.json is no list of images");
  std::vector<Saved> out;
  for (const auto& item : list) {
    Saved saved;
    saved.config = image::json::text_of(item, "Config");
    if (saved.config.empty()) return fail(Code::corrupt, "manifest.json names no configuration");
    TRY_ASSIGN(saved.tags, texts_of(item, "RepoTags"));
    TRY_ASSIGN(saved.layers, texts_of(item, "Layers"));
    out.push_back(std::move(saved));
  }
  return out;
}

// The name of the file is the digest of its content, in most archives.
Result<> check_config_name(const std::string& name, const store::ReceivedFile& file) {
  constexpr std::string_view suffix = ".json";
  if (!name.ends_with(suffix)) return {};
  auto promised = image::Digest::parse("sha256:" + name.substr(0, name.size() - suffix.size()));
  if (!promised || *promised == file.digest) return {};
  return fail(Code::corrupt, "the digest of " + name + " is " + file.digest.text() + ", not what its name says");
}

class DockerArchive {
 public:
  DockerArchive(Members& members, std::vector<image::Manifest> manifests)
      : members_(members), manifests_(std::move(manifests)) {}

  Result<ArchivedImage> image_of(const Saved& saved) {
    TRY_ASSIGN(auto config, members_.file(saved.config));
    TRY(check_config_name(saved.config, config));
    std::vector<CheckedLayer> layers;
    for (const auto& name : saved.layers) {
      TRY_ASSIGN(auto layer, layer_of(name));
      layers.push_back(std::move(layer));
    }
    TRY(settle_config(config, saved, layers));
    TRY_ASSIGN(auto manifest, own_manifest(config, layers));
    std::vector<store::ReceivedFile> files{std::move(config)};
    for (auto& layer : layers) files.push_back(std::move(layer.stored.file));
    return ArchivedImage{saved.tags, std::move(manifest), std::move(files)};
  }

 private:
  // Images share layers; each is checked once.
  Result<CheckedLayer> layer_of(const std::string& name) {
    if (auto known = layers_.find(name); known != layers_.end()) return known->second;
    TRY_ASSIGN(auto file, members_.file(name));
    auto layer = check_layer(file, members_.limits());
    if (!layer) return fail(std::move(layer).error().context(name));
    return layers_.emplace(name, std::move(*layer)).first->second;
  }

  // The layers are those that the configuration says; what the Python tool made up says them wrongly, and is corrected.
  Result<> settle_config(store::ReceivedFile& config, const Saved& saved, const std::vector<CheckedLayer>& layers) {
    TRY_ASSIGN(auto text, members_.text(saved.config));
    TRY_ASSIGN(auto parsed, image::ImageConfig::parse(text));
    TRY_ASSIGN(auto wanted, parsed.diff_ids());
    std::size_t wrong = 0;
    while (wrong < layers.size() && wrong < wanted.size() && layers[wrong].diff_id == wanted[wrong]) ++wrong;
    if (wrong == layers.size() && wrong == wanted.size()) return {};
    if (wanted.empty() || parsed.text("comment") == k_made_by_import) {
      TRY_ASSIGN(auto corrected, with_diff_ids(text, diff_ids_of(layers)));
      TRY_ASSIGN(config, members_.add(corrected));
      return {};
    }
    if (layers.size() != wanted.size())
      return fail(Code::corrupt, "manifest.json lists " + std::to_string(layers.size()) + " layers, " + saved.config +
                                     " has " + std::to_string(wanted.size()));
    return fail(Code::corrupt, "the digest of the content of " + saved.layers[wrong] + " is " +
                                   layers[wrong].diff_id.text() + ", not " + wanted[wrong].text() + " as " +
                                   saved.config + " says");
  }

  // The one that the OCI layout in the archive has for these parts, whose digest is that of the registry.
  Result<image::Manifest> own_manifest(const store::ReceivedFile& config, const std::vector<CheckedLayer>& layers) {
    for (const auto& manifest : manifests_) {
      const bool same = manifest.config.digest == config.digest && manifest.config.size == config.size &&
                        std::equal(manifest.layers.begin(), manifest.layers.end(), layers.begin(), layers.end(),
                                   [](const image::Descriptor& a, const CheckedLayer& b) {
                                     return a.digest == b.stored.file.digest && a.size == b.stored.file.size;
                                   });
      if (same) return manifest;
    }
    return manifest_for(config, layers);
  }

  Members& members_;
  std::vector<image::Manifest> manifests_;
  std::map<std::string, CheckedLayer> layers_;
};

}  // namespace

Result<std::vector<ArchivedImage>> read_docker_archive(Members& members) {
  TRY_ASSIGN(auto list, read_list(members));
  std::vector<image::Manifest> manifests;
  if (members.has("index.json")) {
    TRY_ASSIGN(manifests, manifests_of_layout(members));
  }
  DockerArchive archive(members, std::move(manifests));
  std::vector<ArchivedImage> out;
  for (const auto& saved : list) {
    TRY_ASSIGN(auto image, archive.image_of(saved));
    out.push_back(std::move(image));
  }
  return out;
}

Result<std::vector<ArchivedImage>> archived_images(Members& members) {
  if (members.has("manifest.json")) return read_docker_archive(members);
  if (members.has("index.json")) return read_oci_layout(members);
  if (members.has("repositories")) return read_legacy_archive(members);
  return fail(Code::corrupt,
              "it has none of manifest.json, index.json and repositories, so it is no archive of images (import takes "
              "an archive of one tree)");
}

}  // namespace udk::transfer
