#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Byte strings; no locale.
namespace udk {

std::vector<std::string_view> split(std::string_view text, char separator);  // "a,,b" has three parts
std::vector<std::string_view> split_blank(std::string_view text);            // words between blanks
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);  // blanks, tabs and line ends at both sides
std::string to_lower(std::string_view text);   // ASCII
std::string to_upper(std::string_view text);   // ASCII
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
// The whole text as a decimal number without sign; nothing else.
std::optional<std::uint64_t> parse_uint(std::string_view text);
std::string to_hex(std::string_view bytes);  // lower case
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);  // padded or not
// Control characters as \xNN, for names from outside that reach a terminal.
std::string printable(std::string_view text);

}  // namespace udk
