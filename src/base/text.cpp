#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace udk {
namespace {

constexpr std::string_view k_blank = " \t\r\n\v\f";
constexpr std::string_view k_hex = "0123456789abcdef";
constexpr std::string_view k_base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
unsigned octet(char c) { return static_cast<unsigned char>(c); }

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::vector<std::string_view> split_blank(std::string_view text) {
  std::vector<std::string_view> words;
  for (;;) {
    auto begin = text.find_first_not_of(k_blank);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    auto end = std::min(text.find_first_of(k_blank), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const auto& part : parts) {
    if (&part != parts.data()) out += separator;
    out += part;
  }
  return out;
}

std::string_view trim(std::string_view text) {
  auto begin = text.find_first_not_of(k_blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(k_blank) - begin + 1);
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), upper);
  return out;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && to_lower(text.substr(0, prefix.size())) == to_lower(prefix);
}

std::optional<std::uint64_t> parse_uint(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char c : bytes) {
    out += k_hex[octet(c) >> 4];
    out += k_hex[octet(c) & 15];
  }
  return out;
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    auto group = bytes.substr(i, 3);
    unsigned value = octet(group[0]) << 16;
    if (group.size() > 1) value |= octet(group[1]) << 8;
    if (group.size() > 2) value |= octet(group[2]);
    out += k_base64[value >> 18];
    out += k_base64[(value >> 12) & 63];
    out += group.size() > 1 ? k_base64[(value >> 6) & 63] : '=';
    out += group.size() > 2 ? k_base64[value & 63] : '=';
  }
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  unsigned value = 0;
  int bits = 0;
  for (char c : text) {
    auto digit = k_base64.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = (value << 6) | static_cast<unsigned>(digit);
    if ((bits += 6) < 8) continue;
    bits -= 8;
    out += static_cast<char>((value >> bits) & 255);
  }
  return out;
}

std::size_t control_length(std::string_view text) {
  constexpr unsigned lead = 0xc2;
  if (text.empty()) return 0;
  if (octet(text[0]) < 32 || octet(text[0]) == 127) return 1;
  return text.size() > 1 && octet(text[0]) == lead && octet(text[1]) >= 0x80 && octet(text[1]) < 0xa0 ? 2 : 0;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t controls = control_length(text);
    for (char c : text.substr(0, controls)) out += {'\\', 'x', k_hex[octet(c) >> 4], k_hex[octet(c) & 15]};
    if (controls == 0) out += text[0];
    text.remove_prefix(std::max<std::size_t>(controls, 1));
  }
  return out;
}

std::string printable_json(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t controls = text[0] == '\n' || text[0] == '\t' ? 0 : control_length(text);
    if (controls == 0) {
      out += text[0];
    } else {
      const char last = text[controls - 1];  // U+0080 to U+009F are C2 80 to C2 9F
      out += {'\\', 'u', '0', '0', k_hex[octet(last) >> 4], k_hex[octet(last) & 15]};
    }
    text.remove_prefix(std::max<std::size_t>(controls, 1));
  }
  return out;
}

}  // namespace udk
