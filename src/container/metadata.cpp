#include "container/metadata.hpp"

#include <algorithm>

#include "image/image_config.hpp"

namespace udk::container {
namespace {

// JSON can say NUL where the kernel's strings end.
bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }
bool has_nul(const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(), [](const std::string& word) { return has_nul(word); });
}

}  // namespace

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
  if (has_nul(out.entrypoint) || has_nul(out.cmd) || has_nul(out.working_dir)) {
    return fail(Code::corrupt,
                "container " + container.id +
                    ": container.json: a NUL character in Entrypoint, Cmd or WorkingDir (run it with --nometa)");
  }
  return out;
}

}  // namespace udk::container
