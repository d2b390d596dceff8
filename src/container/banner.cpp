#include <string>
#include <string_view>

#include "base/path.hpp"
#include "container/build.hpp"

namespace udk::container {
namespace {

constexpr std::size_t k_width = 78;

char border_of(std::string_view mode) {
  switch (mode.empty() ? 'P' : mode.front()) {
    case 'F':
      return '#';
    case 'R':
      return '%';
    case 'S':
      return '/';
    default:
      return '*';
  }
}

}  // namespace

std::vector<std::string> banner(std::string_view container_id, std::string_view mode, std::string_view program) {
  char border = border_of(mode);
  std::string full(k_width, border);
  auto row = [&](std::string_view text) {
    std::size_t inner = k_width - 2;
    text = text.substr(0, inner);
    std::size_t left = (inner - text.size()) / 2;
    return border + std::string(left, ' ') + std::string(text) + std::string(inner - text.size() - left, ' ') + border;
  };
  std::vector<std::string> out{" "};
  for (const auto& line : {full, row(""), row("STARTING " + std::string(container_id)), row(""), full})
    out.push_back(" " + line + " ");
  out.push_back(" executing: " + std::string(path_basename(program)));
  return out;
}

}  // namespace udk::container
