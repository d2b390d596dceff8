#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"

namespace udk::image {

// The name of content: "sha256:<64 hex>" or "sha512:<128 hex>" (OCI image-spec, descriptor.md#digests). A Digest always
// holds a checked value, so its text may be used as a file name.
class Digest {
 public:
  // Exact algorithm name, exact length, lower-case hex: everything else is Code::corrupt.
  static Result<Digest> parse(std::string_view text);
  // The digest of these bytes.
  static Digest of(Bytes data, HashKind kind = HashKind::sha256);
  static Digest of(std::string_view data, HashKind kind = HashKind::sha256) { return of(as_bytes(data), kind); }

  [[nodiscard]] HashKind kind() const { return kind_; }
  [[nodiscard]] std::string_view algorithm() const { return kind_ == HashKind::sha256 ? "sha256" : "sha512"; }
  [[nodiscard]] std::string_view hex() const { return std::string_view(text_).substr(algorithm().size() + 1); }
  // "sha256:0123..."
  [[nodiscard]] const std::string& text() const { return text_; }
  // "sha256:0123456789ab" for progress lines.
  [[nodiscard]] std::string short_text() const { return text_.substr(0, algorithm().size() + 13); }

  friend bool operator==(const Digest& a, const Digest& b) { return a.text_ == b.text_; }
  friend std::strong_ordering operator<=>(const Digest& a, const Digest& b) { return a.text_.compare(b.text_) <=> 0; }

 private:
  Digest(HashKind kind, std::string text) : kind_(kind), text_(std::move(text)) {}
  HashKind kind_;
  std::string text_;
};

}  // namespace udk::image
