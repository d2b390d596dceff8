// An accepted image name never leaves the directory of the repositories, and its listed form names the same image.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.hpp"
#include "image/reference.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool stays_below(std::string_view path) {
  for (auto component : udk::split(path, '/'))
    if (component.empty() || component == "." || component == "..") return false;
  return path.find('\0') == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto reference = udk::image::Reference::parse(text);
  if (!reference) {
    require(reference.error().text.find('\n') == std::string::npos);
    return 0;
  }
  require(stays_below(reference->repository()));
  require(stays_below(reference->tag()) && reference->tag().find('/') == std::string::npos);
  require(stays_below(reference->remote_repository()));
  (void)reference->check_remote();
  auto again = udk::image::Reference::parse(reference->name());
  require(again && again->repository() == reference->repository() && again->tag() == reference->tag());
  require(again->domain() == reference->domain());
  return 0;
}
