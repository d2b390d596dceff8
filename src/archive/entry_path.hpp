#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace udk::archive {

// The name of an archive member, checked: relative to the root of the tree, "/" between the parts, no empty part, "."
// or "..", no NUL. "" is the root itself. One object is used for many names.
class EntryPath {
 public:
  // "./a//b/" and "/a/b" are "a/b". Code::corrupt for ".." anywhere, a NUL or no name at all, Code::excessive for more
  // than `max_depth` parts.
  Result<> assign(std::string_view raw, std::size_t max_depth);

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] bool is_root() const { return text_.empty(); }
  [[nodiscard]] std::string_view dir() const;   // "usr/bin" of "usr/bin/sh"; "" in the root
  [[nodiscard]] std::string_view name() const;  // "sh"

 private:
  std::string text_;
};

// The path is `top` or below it; `top` is not "".
bool is_at_or_below(std::string_view path, std::string_view top);

}  // namespace udk::archive
