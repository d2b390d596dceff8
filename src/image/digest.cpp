#include "image/digest.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace udk::image {
namespace {

bool is_lower_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

std::string shown(std::string_view text) { return printable(text.substr(0, 160)); }

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  auto colon = text.find(':');
  auto algorithm = text.substr(0, colon);
  if (colon == std::string_view::npos || (algorithm != "sha256" && algorithm != "sha512"))
    return fail(Code::corrupt, "unknown digest algorithm in '" + shown(text) + "' (sha256 and sha512 are supported)");
  auto hex = text.substr(colon + 1);
  auto kind = algorithm == "sha256" ? HashKind::sha256 : HashKind::sha512;
  std::size_t length = kind == HashKind::sha256 ? 64 : 128;
  if (hex.size() != length || !std::all_of(hex.begin(), hex.end(), is_lower_hex))
    return fail(Code::corrupt, "malformed digest '" + shown(text) + "' (" + std::to_string(length) +
                                   " lower-case hexadecimal digits expected)");
  return Digest(kind, std::string(text));
}

Digest Digest::of(Bytes data, HashKind kind) {
  Hasher hasher(kind);
  hasher.update(data);
  return {kind, (kind == HashKind::sha256 ? "sha256:" : "sha512:") + hasher.hex()};
}

}  // namespace udk::image
