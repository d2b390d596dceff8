#include "transfer/metadata.hpp"

#include <ctime>
#include <nlohmann/json.hpp>

#include "base/random.hpp"

namespace udk::transfer {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_id_bytes = 32;

std::string now_text() {
  std::time_t now = std::time(nullptr);
  struct tm utc {};
  ::gmtime_r(&now, &utc);
  std::string text(64, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.000000000Z", &utc));
  return text;
}

// The classic keys of Docker, all of them empty.
Json empty_config() {
  return Json{{"Hostname", ""},
              {"Domainname", ""},
              {"User", ""},
              {"Memory", 0},
              {"MemorySwap", 0},
              {"CpusShares", 0},
              {"Cpuset", ""},
              {"AttachStdin", false},
              {"AttachStdout", false},
              {"AttachStderr", false},
              {"PortSpecs", nullptr},
              {"ExposedPorts", nullptr},
              {"Tty", false},
              {"OpenStdin", false},
              {"StdinOnce", false},
              {"Env", nullptr},
              {"Cmd", nullptr},
              {"Image", ""},
              {"Volumes", nullptr},
              {"WorkingDir", ""},
              {"Entrypoint", nullptr},
              {"NetworkDisable", false},
              {"MacAddress", ""},
              {"OnBuild", nullptr},
              {"Labels", nullptr}};
}

}  // namespace

std::string made_up_config(const image::Platform& platform, const std::optional<ImportedLayer>& layer) {
  Json out{{"id", random_hex(k_id_bytes)}, {"comment", k_made_by_import}, {"created", now_text()}};
  out["architecture"] = platform.architecture;
  if (!platform.variant.empty()) out["variant"] = platform.variant;
  out["os"] = platform.os;
  out["size"] = layer ? layer->size : 0;
  if (layer) out["rootfs"] = Json{{"type", "layers"}, {"diff_ids", Json::array({layer->diff_id.text()})}};
  out["container_config"] = empty_config();
  out["config"] = empty_config();
  return out.dump();
}

}  // namespace udk::transfer
