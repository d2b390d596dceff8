#include "store/owners_file.hpp"

#include <array>
#include <charconv>
#include <optional>

#include "base/text.hpp"

namespace udk::store {
namespace {

constexpr std::string_view k_name = "udocker-owners ";
constexpr std::string_view k_header = "udocker-owners 1";

// Bytes that would break a line or a terminal, and the escape itself, as \xNN.
std::string escape(std::string_view path) {
  std::string out;
  for (char c : path) {
    auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7f && c != '\\')
      out += c;
    else
      (out += "\\x") += to_hex({&c, 1});
  }
  return out;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    auto digits = text.substr(i, 4);
    if (digits.size() != 4 || digits[1] != 'x') return std::nullopt;
    auto [end, error] = std::from_chars(digits.data() + 2, digits.data() + 4, byte, 16);
    if (error != std::errc() || end != digits.data() + 4 || byte == 0) return std::nullopt;
    out += static_cast<char>(byte);
    i += 3;
  }
  return out;
}

template <class T>
bool read_number(std::string_view text, int base, T limit, T& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size() && out <= limit;
}

// The path of a record: relative, no component that is empty, "." or ".." or too long for a file name; "" is the root.
bool is_inner_path(std::string_view path) {
  if (path.empty()) return true;
  for (auto word : split(path, '/')) {
    if (word.empty() || word == "." || word == ".." || word.size() > 255) return false;
  }
  return true;
}

// "UID GID MODE /PATH"
bool read_line(std::string_view line, archive::OwnerRecord& owners) {
  std::array<std::string_view, 3> words;
  for (auto& word : words) {
    auto blank = line.find(' ');
    if (blank == std::string_view::npos) return false;
    word = line.substr(0, blank);
    line.remove_prefix(blank + 1);
  }
  archive::Ownership owner;
  if (!read_number<std::uint32_t>(words[0], 10, UINT32_MAX, owner.uid) ||
      !read_number<std::uint32_t>(words[1], 10, UINT32_MAX, owner.gid) ||
      !read_number<std::uint16_t>(words[2], 8, 07777, owner.mode))
    return false;
  auto path = unescape(line);
  if (!path || !path->starts_with('/') || !is_inner_path(path->substr(1))) return false;
  owners.set(path->substr(1), owner);
  return true;
}

}  // namespace

std::string owners_to_text(const archive::OwnerRecord& owners) {
  std::string out(k_header);
  out += '\n';
  owners.for_each([&](std::string_view path, const archive::Ownership& owner) {
    std::array<char, 8> mode{};
    auto end = std::to_chars(mode.data(), mode.data() + mode.size(), owner.mode, 8).ptr;
    out += std::to_string(owner.uid) + ' ' + std::to_string(owner.gid) + ' ';
    out.append(mode.data(), end);
    (out += " /") += escape(path);
    out += '\n';
  });
  return out;
}

Result<archive::OwnerRecord> owners_from_text(std::string_view text) {
  archive::OwnerRecord owners;
  std::size_t number = 0;
  while (!text.empty()) {
    auto end = text.find('\n');
    if (end == std::string_view::npos) return fail(Code::corrupt, "the owner record ends within a line");
    auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (++number == 1) {
      if (line.starts_with(k_name) && line != k_header)
        return fail(Code::unsupported, "the owner record is of a later version of udocker");
      if (line != k_header) return fail(Code::corrupt, "no owner record");
    } else if (!read_line(line, owners)) {
      return fail(Code::corrupt, "line " + std::to_string(number) + " of the owner record is not understood");
    }
  }
  if (number == 0) return fail(Code::corrupt, "the owner record is empty");
  return owners;
}

}  // namespace udk::store
