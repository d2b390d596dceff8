#include "image/json.hpp"

namespace udk::image::json {
namespace {

// Brackets outside of texts; the parser itself does not recurse, but later users of the value do.
bool too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > k_max_depth) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<nlohmann::json> parse_object(std::string_view text, std::string_view what, std::size_t limit) {
  std::string name(what);
  if (text.size() > limit)
    return fail(Code::corrupt, name + " is larger than " + std::to_string(limit) + " bytes: refused");
  if (too_deep(text)) return fail(Code::corrupt, name + " is nested too deeply: refused");
  auto value = nlohmann::json::parse(text, nullptr, false);
  if (value.is_discarded()) return fail(Code::corrupt, name + " is not valid JSON");
  if (!value.is_object()) return fail(Code::corrupt, name + " is not a JSON object");
  return value;
}

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto* value = member(object, key);
  return value && value->is_string() ? value->get<std::string>() : std::string();
}

const nlohmann::json* member(const nlohmann::json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

}  // namespace udk::image::json
