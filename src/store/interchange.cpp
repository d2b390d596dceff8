#include "store/interchange.hpp"

#include "base/log.hpp"
#include "base/path.hpp"
#include "store/repo_lock.hpp"

namespace udk::store {
namespace {

// The image in whose tag directory this repository lies, if there is one.
std::string tag_above(const Context& context, const std::string& repository) {
  for (auto slash = repository.find('/'); slash != std::string::npos; slash = repository.find('/', slash + 1)) {
    std::string above = repository.substr(0, slash);
    if (!is_image(path_join(context.paths.repos, above))) continue;
    const auto last = above.rfind('/');
    if (last != std::string::npos) above[last] = ':';
    return above;
  }
  return {};
}

}  // namespace

std::string limit_in_python_tool(const Context& context, const ImageName& name) {
  if (name.repository.find(':') != std::string::npos)
    return "cannot address it, since it splits names at the first colon";
  if (const std::string above = tag_above(context, name.repository); !above.empty())
    return "does not list it, since it lies below " + above;
  return {};
}

void tell_limit_in_python_tool(const Context& context, const ImageName& name) {
  const std::string limit = limit_in_python_tool(context, name);
  if (!limit.empty()) log::info("image {}: the Python udocker {}; udocker tag gives another name", name.text(), limit);
}

}  // namespace udk::store
