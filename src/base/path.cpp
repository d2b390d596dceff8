#include "base/path.hpp"

#include "base/text.hpp"

namespace udk {

std::string path_join(std::string_view a, std::string_view b) {
  if (a.empty()) return std::string(b);
  if (b.empty()) return std::string(a);
  std::string out(a);
  if (out.back() != '/') out += '/';
  while (!b.empty() && b.front() == '/') b.remove_prefix(1);
  return out += b;
}

std::vector<std::string_view> path_split(std::string_view path) {
  std::vector<std::string_view> words;
  for (auto word : split(path, '/')) {
    if (!word.empty() && word != ".") words.push_back(word);
  }
  return words;
}

std::string path_normalize(std::string_view path) {
  std::vector<std::string_view> kept;
  for (auto word : path_split(path)) {
    if (word != "..") {
      kept.push_back(word);
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string out;
  for (auto word : kept) (out += '/') += word;
  return out.empty() ? "/" : out;
}

std::string_view path_basename(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  auto at = path.rfind('/');
  return at == std::string_view::npos || path.size() == 1 ? path : path.substr(at + 1);
}

std::string_view path_dirname(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  auto at = path.rfind('/');
  if (at == std::string_view::npos) return ".";
  while (at > 0 && path[at - 1] == '/') --at;
  return at == 0 ? "/" : path.substr(0, at);
}

bool path_has_prefix(std::string_view path, std::string_view prefix) {
  while (prefix.size() > 1 && prefix.back() == '/') prefix.remove_suffix(1);
  if (prefix == "/") return path.starts_with('/');
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace udk
