#include "store/image_data.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.hpp"
#include "base/path.hpp"
#include "image/image_config.hpp"
#include "store/dir_entries.hpp"
#include "store/names.hpp"
#include "store/repo_lock.hpp"

namespace udk::store {
namespace {

using nlohmann::json;

constexpr std::size_t k_max_metadata = std::size_t{16} << 20;

Error broken(const ImageName& name, Code code, const std::string& what) {
  return {code, "image " + name.text() + ": " + what + ": pull it again"};
}

bool is_regular(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode);
}

Result<json> read_json(const ImageData& image, const std::string& file) {
  auto text = read_file(path_join(image.dir, file), k_max_metadata);
  if (!text) return fail(broken(image.name, text.error().code, "cannot read its metadata (" + text.error().text + ")"));
  auto value = json::parse(*text, nullptr, false);
  if (value.is_discarded()) return fail(broken(image.name, Code::corrupt, "its " + file + " is not valid JSON"));
  return value;
}

std::string text_member(const json& object, const char* key) {
  if (!object.is_object()) return "";
  auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

// Adds the layer behind the link `name`, which must be there.
Result<> add_layer(ImageData& image, const std::string& name) {
  ImageLayer layer;
  layer.name = name;
  auto path = real_path(path_join(image.dir, name));
  if (!path || !is_regular(*path))
    return fail(broken(image.name, Code::not_found, "its layer " + name + " is missing"));
  layer.path = std::move(*path);
  if (auto digest = image::Digest::parse(name)) layer.digest = *digest;
  image.layers.push_back(std::move(layer));
  return {};
}

Result<> read_v2_schema1(ImageData& image, const json& manifest) {
  image.format = ImageFormat::v2_schema1;
  const auto& list = manifest["fsLayers"];
  if (!list.is_array()) return fail(broken(image.name, Code::corrupt, "its manifest has no list of layers"));
  for (auto it = list.rbegin(); it != list.rend(); ++it) {
    auto digest = image::Digest::parse(text_member(*it, "blobSum"));
    if (!digest) return fail(broken(image.name, Code::corrupt, "its manifest names no valid digest"));
    TRY(add_layer(image, digest->text()));
  }
  auto history = manifest.find("history");
  if (history != manifest.end() && history->is_array() && !history->empty())
    image.config = text_member(history->front(), "v1Compatibility");
  if (image.config.empty()) return fail(broken(image.name, Code::corrupt, "its manifest has no configuration"));
  return {};
}

Result<> read_v2(ImageData& image, const json& manifest) {
  const auto& list = manifest["layers"];
  if (!list.is_array()) return fail(broken(image.name, Code::corrupt, "its manifest has no list of layers"));
  for (const auto& item : list) {
    auto digest = image::Digest::parse(text_member(item, "digest"));
    if (!digest) return fail(broken(image.name, Code::corrupt, "its manifest names no valid digest"));
    TRY(add_layer(image, digest->text()));
    image.layers.back().media_type = text_member(item, "mediaType");
    if (auto size = item.find("size"); size != item.end() && size->is_number_unsigned())
      image.layers.back().size = size->get<std::uint64_t>();
  }
  auto config = manifest.find("config");
  auto digest = image::Digest::parse(config == manifest.end() ? "" : text_member(*config, "digest"));
  if (!digest) return fail(broken(image.name, Code::corrupt, "its manifest names no configuration"));
  auto path = real_path(path_join(image.dir, digest->text()));
  auto text = path ? read_file(*path, k_max_metadata) : fail(path.error());
  if (!text) return fail(broken(image.name, text.error().code, "its configuration cannot be read"));
  if (image::Digest::of(*text, digest->kind()) != *digest)
    return fail(broken(image.name, Code::corrupt, "its configuration does not match " + digest->short_text()));
  image.config = std::move(*text);
  image.config_path = std::move(*path);
  image.config_digest = *digest;
  return {};
}

// Links of the image that are no layer of it and whose names end so.
std::vector<std::string> other_links(const ImageData& image, std::string_view suffix) {
  std::vector<std::string> out;
  auto entries = dir_entries(image.dir);
  if (!entries) return out;
  for (const auto& entry : *entries) {
    bool layer = std::any_of(image.layers.begin(), image.layers.end(),
                             [&](const ImageLayer& l) { return entry.name.substr(0, 64) == l.name.substr(0, 64); });
    if (entry.type == EntryType::link && entry.name.ends_with(suffix) && is_blob_name(entry.name) && !layer)
      out.push_back(entry.name);
  }
  return out;
}

// The configuration of a v1 image: container.json; for an image that the Python tool's `tag` has copied the file that
// container.json pointed to, which is the one blob that is no layer; else the metadata of the top layer.
Result<std::string> v1_config(const ImageData& image, const std::string& top_id) {
  std::vector<std::string> candidates{"container.json"};
  for (std::string_view suffix : {".json", ".layer"}) {
    auto others = other_links(image, suffix);
    if (others.size() == 1) candidates.push_back(others.front());
  }
  candidates.push_back(top_id + ".json");
  for (const auto& file : candidates) {
    auto text = read_file(path_join(image.dir, file), k_max_metadata);
    if (text && json::parse(*text, nullptr, false).is_object()) return text;
  }
  return fail(broken(image.name, Code::not_found, "it has no readable configuration"));
}

Result<> read_v1(ImageData& image) {
  image.format = ImageFormat::v1;
  TRY_ASSIGN(json ancestry, read_json(image, "ancestry"));
  if (!ancestry.is_array() || ancestry.empty())
    return fail(broken(image.name, Code::corrupt, "its ancestry is no list of layers"));
  for (auto it = ancestry.rbegin(); it != ancestry.rend(); ++it) {
    std::string id = it->is_string() ? it->get<std::string>() : "";
    if (!is_file_name(id)) return fail(broken(image.name, Code::corrupt, "its ancestry names no valid layer"));
    TRY(add_layer(image, id + ".layer"));
  }
  TRY_ASSIGN(image.config, v1_config(image, ancestry.front().get<std::string>()));
  return {};
}

// Assigned only where there is one for each layer. The Python tool's `import`, which makes images of the old format,
// writes the hash of the file as it is, be it compressed or not, so those say nothing.
void assign_diff_ids(ImageData& image) {
  auto config = image::ImageConfig::parse(image.config);
  if (!config) return;
  const bool by_import = text_member(json::parse(image.config, nullptr, false), "comment") == "created by udocker";
  if (by_import && image.format == ImageFormat::v1) return;
  auto ids = config->diff_ids();
  if (!ids || ids->size() != image.layers.size()) return;
  for (std::size_t i = 0; i < ids->size(); ++i) image.layers[i].diff_id = (*ids)[i];
}

}  // namespace

Result<ImageData> read_image(const Context& context, const ImageName& name, const std::string& dir) {
  ImageData image;
  image.name = name;
  image.dir = dir;
  if (exists(path_join(dir, "v1"))) {
    TRY(read_v1(image));
  } else if (exists(path_join(dir, "v2"))) {
    TRY_ASSIGN(json manifest, read_json(image, "manifest"));
    auto stored = read_file(path_join(dir, "manifest"), k_max_metadata);
    if (stored) image.manifest = *stored;
    if (manifest.is_object() && manifest.contains("fsLayers")) {
      TRY(read_v2_schema1(image, manifest));
    } else if (manifest.is_object() && manifest.contains("layers")) {
      TRY(read_v2(image, manifest));
    } else {
      return fail(broken(name, Code::corrupt, "its manifest lists no layers"));
    }
  } else {
    return fail(broken(name, Code::corrupt, "neither v1 nor v2 is in " + dir));
  }
  auto record = read_file(path_join(manifest_record_dir(context), manifest_key(image.manifest)), k_max_metadata);
  if (record && !image.manifest.empty()) {
    image.manifest_digest = image::Digest::of(*record);
    image.manifest = std::move(*record);
  }
  assign_diff_ids(image);
  return image;
}

}  // namespace udk::store
