#include <fmt/core.h>
#include <algorithm>

#include <nlohmann/json.hpp>

#include "image/json.hpp"
#include "transfer/archived_image.hpp"
#include "transfer/layer_file.hpp"

namespace udk::transfer {
namespace {

using OrderedJson = nlohmann::ordered_json;

// More than any runtime can stack: the chain leads back to itself.
constexpr std::size_t k_max_chain = 4096;

Result<OrderedJson> read_object(Members& members, const std::string& name) {
  TRY_ASSIGN(auto text, members.text(name));
  auto value = OrderedJson::parse(text, nullptr, false);
  if (!value.is_object()) return fail(Code::corrupt, name + " is not a JSON object");
  return value;
}

std::string text_member(const OrderedJson& object, const char* key) {
  auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : "";
}

// One directory of the archive.
struct Link {
  std::string id;
  OrderedJson metadata;
};

// From the base to `top`.
Result<std::vector<Link>> chain_of(Members& members, const std::string& top) {
  std::vector<Link> chain;
  for (std::string id = top; !id.empty();) {
    if (chain.size() == k_max_chain) return fail(Code::corrupt, "the chain of the parents of " + top + " has no end");
    TRY_ASSIGN(auto metadata, read_object(members, id + "/json"));
    auto parent = text_member(metadata, "parent");
    chain.push_back({std::move(id), std::move(metadata)});
    id = std::move(parent);
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

OrderedJson history_of(const std::vector<Link>& chain) {
  auto out = OrderedJson::array();
  for (const auto& link : chain) {
    OrderedJson entry = OrderedJson::object();
    for (const char* key : {"created", "author", "comment"})
      if (auto text = text_member(link.metadata, key); !text.empty()) entry[key] = text;
    out.push_back(std::move(entry));
  }
  return out;
}

// The metadata of the last layer are the image's configuration but for what names the layer and its parent.
Result<std::string> config_of(const std::vector<Link>& chain, const std::vector<CheckedLayer>& layers) {
  OrderedJson config = chain.back().metadata;
  for (const char* key : {"id", "parent", "layer_id", "parent_id", "Size", "throwaway"}) config.erase(key);
  if (!config.contains("os")) config["os"] = "linux";
  if (!config.contains("architecture")) config["architecture"] = "amd64";
  config["history"] = history_of(chain);
  return with_diff_ids(config.dump(-1, ' ', false, OrderedJson::error_handler_t::replace), diff_ids_of(layers));
}

Result<ArchivedImage> image_of(Members& members, const std::string& name, const std::string& top) {
  TRY_ASSIGN(auto chain, chain_of(members, top));
  std::vector<CheckedLayer> layers;
  for (const auto& link : chain) {
    const auto member = link.id + "/layer.tar";
    TRY_ASSIGN(auto file, members.file(member));
    auto layer = check_layer(file, members.limits());
    if (!layer) return fail(std::move(layer).error().context(member));
    layers.push_back(std::move(*layer));
  }
  TRY_ASSIGN(auto text, config_of(chain, layers));
  TRY_ASSIGN(auto config, members.add(text));
  TRY_ASSIGN(auto manifest, manifest_for(config, layers));
  std::vector<store::ReceivedFile> files{std::move(config)};
  for (auto& layer : layers) files.push_back(std::move(layer.stored.file));
  return ArchivedImage{{name}, std::move(manifest), std::move(files)};
}

}  // namespace

Result<std::vector<ArchivedImage>> read_legacy_archive(Members& members) {
  TRY_ASSIGN(auto repositories, read_object(members, "repositories"));
  std::vector<ArchivedImage> out;
  for (const auto& [repository, tags] : repositories.items()) {
    if (!tags.is_object())
      return fail(Code::corrupt, "repositories: the tags of " + repository + " are no JSON object");
    for (const auto& [tag, id] : tags.items()) {
      const std::string name = fmt::format("{}:{}", repository, tag);
      if (!id.is_string() || id.get<std::string>().empty())
        return fail(Code::corrupt, "repositories: " + name + " names no layer");
      TRY_ASSIGN(auto image, image_of(members, name, id.get<std::string>()));
      out.push_back(std::move(image));
    }
  }
  return out;
}

}  // namespace udk::transfer
