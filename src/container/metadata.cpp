#include "container/metadata.hpp"

#include "image/image_config.hpp"

namespace udk::container {

Result<Metadata> read_metadata(const ContainerInfo& container, const RunOptions& options) {
  Metadata out;
  if (container.metadata.empty()) return out;
  auto config = image::ImageConfig::parse(container.metadata);
  if (!config && options.no_meta) return out;
  if (!config) {
    auto error = std::move(config).error().context("container " + container.id + ": container.json");
    error.text += " (create the container anew, or run it with --nometa)";
    return fail(std::move(error));
  }
  out.platform = config->platform();
  if (options.no_meta) return out;
  out.user = config->user();
  out.working_dir = config->working_dir();
  out.entrypoint = config->entrypoint();
  out.cmd = config->cmd();
  out.env = config->env();
  out.exposed_ports = config->exposed_ports();
  return out;
}

}  // namespace udk::container
