#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

// JSON from outside, without exceptions. Only for .cpp files: the include is large.
namespace udk::image::json {

inline constexpr std::size_t k_max_depth = 64;

// `what` names the document in errors ("manifest"). Code::corrupt if it is larger than `limit`, nested deeper than
// k_max_depth, or no JSON object.
Result<nlohmann::json> parse_object(std::string_view text, std::string_view what, std::size_t limit);

// The member if it is a text, else "".
std::string text_of(const nlohmann::json& object, const char* key);
// The member, or nullptr if it is absent or null.
const nlohmann::json* member(const nlohmann::json& object, std::string_view key);

}  // namespace udk::image::json
