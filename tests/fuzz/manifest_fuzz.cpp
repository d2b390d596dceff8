// Manifests, indexes and configurations from a registry. The first byte chooses what was announced.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "image/image_config.hpp"
#include "image/manifest.hpp"
#include "image/media_type.hpp"

namespace {

using namespace udk::image;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const Manifest& manifest, const std::string& text) {
  require(manifest.raw == text);
  require(media_type::kind_of(manifest.media_type) == media_type::Kind::manifest);
  (void)manifest.check_is_image();
}

void check(const Index& index, const std::string& text) {
  require(index.raw == text);
  require(media_type::kind_of(index.media_type) == media_type::Kind::index);
  for (const char* architecture : {"amd64", "arm", ""}) {
    auto entry = index.choose({"linux", architecture, "v7"});
    require(!entry || !entry->platform || entry->platform->os != "unknown" ||
            entry->platform->architecture != "unknown");
  }
}

void check_config(const std::string& text) {
  auto config = ImageConfig::parse(text);
  if (!config) return;
  (void)config->diff_ids();
  (void)config->platform().normalized().text();
  (void)config->env();
  (void)config->cmd();
  (void)config->user();
  (void)config->exposed_ports();
  (void)config->volumes();
  (void)config->labels();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array<std::string_view, 6> k_announced{"",
                                                               media_type::k_docker_manifest,
                                                               media_type::k_docker_list,
                                                               media_type::k_oci_manifest,
                                                               media_type::k_oci_index,
                                                               "application/json; charset=utf-8"};
  if (size == 0) return 0;
  std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  auto document = parse_document(text, k_announced[data[0] % k_announced.size()]);
  if (document) std::visit([&](const auto& d) { check(d, text); }, *document);
  check_config(text);
  return 0;
}
