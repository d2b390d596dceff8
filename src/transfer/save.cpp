#include "transfer/save.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "image/digest.hpp"
#include "transfer/layer_file.hpp"
#include "transfer/tar_output.hpp"

namespace udk::transfer {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

// What the layer is told apart by.
const std::string& key_of(const store::ImageLayer& layer) { return layer.digest ? layer.digest->text() : layer.name; }

Result<std::uint64_t> size_of(const store::ImageLayer& layer) {
  struct stat status {};
  if (::stat(layer.path.c_str(), &status) != 0) return fail_errno(errno, layer.path);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (layer.size && *layer.size != size)
    return fail(Code::corrupt, "layer " + layer.name + " is damaged (see: udocker verify)");
  return size;
}

// Always the same time, so that an image gives the same archive each time; 0 makes GNU tar complain.
archive::Member described(archive::MemberType type, std::string_view name) {
  archive::Member member;
  member.type = type;
  member.name = name;
  member.mtime = {1, 0};
  if (type == archive::MemberType::directory) member.mode = 0755;
  return member;
}

class Archive {
 public:
  explicit Archive(TarOutput& out) : out_(out) {}

  Result<> add(const SavedImage& image) {
    const auto& data = image.pinned.data;
    const std::string digest = sha256_hex(image.config);
    if (configs_.insert(digest).second) TRY(text(digest + ".json", image.config));
    auto paths = Json::array();
    std::string parent;
    for (const auto& layer : data.layers) {
      const bool top = &layer == &data.layers.back();
      // As many ids as there are chains, for a directory names its parent, and the last one has the configuration.
      std::string id = sha256_hex(parent + key_of(layer) + (top ? digest : ""));
      TRY_ASSIGN(auto path, add_layer(layer, id, metadata(id, parent, top ? image.config : "")));
      paths.push_back(path);
      parent = std::move(id);
    }
    list(data.name, digest, std::move(paths), parent);
    return {};
  }

  Result<> finish() {
    TRY(text("manifest.json", dump(listing_)));
    if (!repositories_.empty()) TRY(text("repositories", dump(repositories_)));
    return out_.finish();
  }

 private:
  Result<> text(const std::string& name, std::string_view content) {
    auto member = described(archive::MemberType::file, name);
    member.size = content.size();
    return out_.text(member, content);
  }

  // Where the content of the layer is in the archive.
  Result<std::string> add_layer(const store::ImageLayer& layer, const std::string& id, const std::string& json) {
    const std::string path = id + "/layer.tar";
    if (!ids_.insert(id).second) return paths_[key_of(layer)];
    TRY(out_.member(described(archive::MemberType::directory, id + "/")));
    TRY(text(id + "/VERSION", "1.0"));
    TRY(text(id + "/json", json));
    auto [known, is_new] = paths_.emplace(key_of(layer), path);
    if (!is_new) {
      auto link = described(archive::MemberType::hard_link, path);
      link.link = known->second;
      TRY(out_.member(link));
      return known->second;
    }
    TRY_ASSIGN(auto size, size_of(layer));
    TRY_ASSIGN(Fd content, open_at(AT_FDCWD, layer.path, O_RDONLY));
    auto member = described(archive::MemberType::file, path);
    member.size = size;
    if (auto done = out_.file(member, content.get()); !done) return fail(std::move(done).error().context(layer.path));
    return path;
  }

  static std::string metadata(const std::string& id, const std::string& parent, const std::string& config) {
    Json out = config.empty() ? Json::object() : Json::parse(config, nullptr, false);
    out.erase("rootfs");
    out.erase("history");
    out["id"] = id;
    if (!out.contains("created")) out["created"] = "1970-01-01T00:00:00Z";
    if (!parent.empty())
      out["parent"] = parent;
    else
      out.erase("parent");
    return dump(out);
  }

  // Names of one image are listed together. A digest is no tag: who pulled by one has no name to save.
  void list(const store::ImageName& name, const std::string& config, Json paths, const std::string& top) {
    const std::string file = config + ".json";
    auto entry = std::find_if(listing_.begin(), listing_.end(),
                              [&](const Json& other) { return other["Config"] == file && other["Layers"] == paths; });
    if (entry == listing_.end()) {
      listing_.push_back(Json{{"Config", file}, {"RepoTags", nullptr}, {"Layers", std::move(paths)}});
      entry = std::prev(listing_.end());
    }
    if (name.tag.find(':') != std::string::npos) return;
    auto& tags = (*entry)["RepoTags"];
    if (tags.is_null()) tags = Json::array();
    if (std::find(tags.begin(), tags.end(), name.text()) == tags.end()) tags.push_back(name.text());
    if (!top.empty()) repositories_[name.repository][name.tag] = top;
  }

  TarOutput& out_;
  std::set<std::string> configs_, ids_;
  std::map<std::string, std::string> paths_;  // of layers, by what they are told apart by
  Json listing_ = Json::array();
  Json repositories_ = Json::object();
};

}  // namespace

Result<SavedImage> prepare_save(store::Store& store, const store::ImageName& name, const archive::Limits& limits) {
  TRY_ASSIGN(auto pinned, store.images().pin(name));
  const auto& layers = pinned.data.layers;
  std::string config = pinned.data.config;
  const bool known =
      std::all_of(layers.begin(), layers.end(), [](const auto& layer) { return layer.diff_id.has_value(); });
  if (!known) {
    std::vector<image::Digest> ids;
    for (const auto& layer : layers) {
      auto id = plain_digest(layer.path, limits);
      if (!id) return fail(std::move(id).error().context("layer " + layer.name));
      ids.push_back(std::move(*id));
    }
    TRY_ASSIGN(config, with_diff_ids(config, ids));
  }
  return SavedImage{std::move(pinned), std::move(config)};
}

Result<> save_images(const std::vector<SavedImage>& images, int fd, const Cancelled& cancelled) {
  TarOutput out(fd, cancelled);
  Archive archive(out);
  for (const auto& image : images) TRY(archive.add(image));
  return archive.finish();
}

}  // namespace udk::transfer
