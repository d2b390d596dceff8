#include "image/image_config.hpp"

#include <utility>

#include "base/text.hpp"
#include "image/json.hpp"

namespace udk::image {
namespace {

constexpr std::size_t k_max_config_size = std::size_t{16} << 20;

// A scalar as the text Python's str() would give; containers as JSON. Invalid UTF-8 cannot occur: the parser refuses
// it.
std::string scalar(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_null()) return "";
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> keys_of(const nlohmann::json* value) {
  std::vector<std::string> out;
  if (value && value->is_object()) {
    for (const auto& [key, unused] : value->items()) out.push_back(key);
  } else if (value && value->is_array()) {
    for (const auto& item : *value) out.push_back(scalar(item));
  } else if (value && value->is_string()) {
    for (auto word : split_blank(value->get_ref<const std::string&>())) out.emplace_back(word);
  }
  return out;
}

std::vector<std::string> as_list(const nlohmann::json& value, std::string_view separator) {
  std::vector<std::string> out;
  if (!value.is_object()) {
    if (value.is_array() || value.is_string()) return keys_of(&value);
    return {scalar(value)};
  }
  for (const auto& [key, item] : value.items()) out.push_back(key + std::string(separator) + scalar(item));
  return out;
}

}  // namespace

Result<ImageConfig> ImageConfig::parse(std::string raw) {
  TRY_ASSIGN(auto document, json::parse_object(raw, "image configuration", k_max_config_size));
  return ImageConfig(std::move(raw), std::make_shared<const nlohmann::json>(std::move(document)));
}

const nlohmann::json* ImageConfig::find(std::string_view key) const {
  const auto* config =
      document_->contains("config") ? json::member(*document_, "config") : json::member(*document_, "container_config");
  if (config)
    if (const auto* value = json::member(*config, key)) return value;
  if (const auto* value = json::member(*document_, key)) return value;
  return json::member(*document_, to_lower(key));
}

Platform ImageConfig::platform() const {
  return {json::text_of(*document_, "os"), json::text_of(*document_, "architecture"),
          json::text_of(*document_, "variant")};
}

Result<> ImageConfig::check_platform(const Platform& wanted) const {
  if (platform_rank(platform(), wanted)) return {};
  return fail(Code::not_found,
              "the image is for " + printable(platform().text()) + ", not for " + printable(wanted.text()));
}

Result<std::vector<Digest>> ImageConfig::diff_ids() const {
  std::vector<Digest> out;
  const auto* rootfs = json::member(*document_, "rootfs");
  const auto* ids = rootfs ? json::member(*rootfs, "diff_ids") : nullptr;
  if (!ids) return out;
  if (!ids->is_array()) return fail(Code::corrupt, "image configuration: rootfs.diff_ids is not a list");
  for (const auto& id : *ids) {
    auto digest = Digest::parse(id.is_string() ? id.get_ref<const std::string&>() : std::string_view{});
    if (!digest) return fail(std::move(digest).error().context("image configuration: rootfs.diff_ids"));
    out.push_back(std::move(*digest));
  }
  return out;
}

std::string ImageConfig::text(std::string_view key) const {
  const auto* value = find(key);
  if (!value) return "";
  return value->is_structured() ? join(as_list(*value, ":"), " ") : scalar(*value);
}

std::vector<std::string> ImageConfig::list(std::string_view key) const {
  const auto* value = find(key);
  return value ? as_list(*value, ":") : std::vector<std::string>{};
}

std::map<std::string, std::string> ImageConfig::dict(std::string_view key) const {
  std::map<std::string, std::string> out;
  const auto* value = find(key);
  if (!value) return out;
  if (value->is_object()) {
    for (const auto& [name, item] : value->items()) out[name] = scalar(item);
    return out;
  }
  for (const auto& item : as_list(*value, ":")) {
    auto equals = std::min(item.find('='), item.size());
    out[item.substr(0, equals)] = equals < item.size() ? item.substr(equals + 1) : "";
  }
  return out;
}

std::vector<std::string> ImageConfig::env() const {
  const auto* value = find("Env");
  return value ? as_list(*value, "=") : std::vector<std::string>{};
}

std::vector<std::string> ImageConfig::exposed_ports() const { return keys_of(find("ExposedPorts")); }
std::vector<std::string> ImageConfig::volumes() const { return keys_of(find("Volumes")); }

}  // namespace udk::image
