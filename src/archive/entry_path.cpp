#include "archive/entry_path.hpp"

#include <algorithm>

#include "archive/limits.hpp"
#include "base/text.hpp"

namespace udk::archive {

Result<> EntryPath::assign(std::string_view raw, std::size_t max_depth) {
  text_.clear();
  if (raw.empty()) return fail(Code::corrupt, "a member of the archive has no name");
  if (raw.find('\0') != std::string_view::npos)
    return fail(Code::corrupt, "the name " + printable(raw) + " in the archive holds a NUL character");
  std::size_t depth = 0;
  for (std::size_t begin = 0; begin < raw.size();) {
    const std::size_t end = std::min(raw.find('/', begin), raw.size());
    std::string_view part = raw.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") return fail(Code::corrupt, "the name " + printable(raw) + " in the archive leads upwards");
    if (++depth > max_depth) return too_deep(max_depth);
    if (!text_.empty()) text_ += '/';
    text_ += part;
  }
  return {};
}

std::string_view EntryPath::dir() const {
  const std::size_t slash = text_.rfind('/');
  return slash == std::string::npos ? std::string_view() : std::string_view(text_).substr(0, slash);
}

std::string_view EntryPath::name() const {
  const std::size_t slash = text_.rfind('/');
  return slash == std::string::npos ? std::string_view(text_) : std::string_view(text_).substr(slash + 1);
}

bool is_at_or_below(std::string_view path, std::string_view top) {
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

}  // namespace udk::archive
