// registries.conf, and what its rules make of names.
#include "registry/registries.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace udk;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  registry::Registries registries;
  if (!registries.add(text, "F")) return 0;
  for (const char* name : {"h:5000/a/b:t", "x.y.b/c", "busybox", "a.b/x@sha256:aaaa"}) {
    if (const auto* rule = registries.find(name); rule && rule->covers(name) > std::string_view(name).size())
      std::abort();
    const auto reference = image::Reference::parse(name);
    if (!reference) continue;
    const auto sources = registry::sources_of(*reference, {}, registries);
    if (sources && sources->empty()) std::abort();
  }
  return 0;
}
