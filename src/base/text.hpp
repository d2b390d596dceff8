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
// The bytes of the control character that the text begins with, 0 if it is none: those of ASCII, and in UTF-8 those
// from U+0080 to U+009F, which terminals obey as they do escape sequences.
std::size_t control_length(std::string_view text);
// Control characters as \xNN, byte by byte, for names from outside that reach a terminal.
std::string printable(std::string_view text);
// A JSON text whose writer has escaped what JSON asks for alone: the rest of the control characters is escaped too.
std::string printable_json(std::string_view text);

}  // namespace udk
