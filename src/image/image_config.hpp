#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "image/digest.hpp"
#include "image/platform.hpp"

namespace udk::image {

// An image configuration (OCI image-spec, config.md) or the container.json of a container, read as tolerantly as the
// Python tool does: `config`, else `container_config`, by the Docker key; then the key at top level; then its
// lower-case form. A value of another type is converted, null and absent are the same.
class ImageConfig {
 public:
  // Code::corrupt unless the text is a JSON object of at most 16 MiB and 64 levels.
  static Result<ImageConfig> parse(std::string raw);

  // The bytes as parsed.
  [[nodiscard]] const std::string& raw() const { return raw_; }
  [[nodiscard]] Platform platform() const;
  // Whether an image that no index offered serves `wanted`: Code::not_found that names both platforms if not. A
  // configuration without platform serves all.
  [[nodiscard]] Result<> check_platform(const Platform& wanted) const;
  // rootfs.diff_ids, base first; empty if the document has none. A malformed digest is Code::corrupt.
  [[nodiscard]] Result<std::vector<Digest>> diff_ids() const;

  // A list becomes its words joined by blanks, numbers and booleans their text.
  [[nodiscard]] std::string text(std::string_view key) const;
  // A text becomes its blank-separated words, an object its "key:value" texts.
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const;
  // A list of texts becomes keys with empty values ("k=v" becomes k: v).
  [[nodiscard]] std::map<std::string, std::string> dict(std::string_view key) const;

  [[nodiscard]] std::vector<std::string> env() const;  // "KEY=VALUE"; an object gives KEY=VALUE too
  [[nodiscard]] std::vector<std::string> cmd() const { return list("Cmd"); }
  [[nodiscard]] std::vector<std::string> entrypoint() const { return list("Entrypoint"); }
  [[nodiscard]] std::string user() const { return text("User"); }
  [[nodiscard]] std::string working_dir() const { return text("WorkingDir"); }
  [[nodiscard]] std::string hostname() const { return text("Hostname"); }
  [[nodiscard]] std::string domainname() const { return text("Domainname"); }
  [[nodiscard]] std::vector<std::string> exposed_ports() const;  // "80/tcp"
  [[nodiscard]] std::vector<std::string> volumes() const;        // guest paths
  [[nodiscard]] std::map<std::string, std::string> labels() const { return dict("Labels"); }

 private:
  ImageConfig(std::string raw, std::shared_ptr<const nlohmann::json> document)
      : raw_(std::move(raw)), document_(std::move(document)) {}
  [[nodiscard]] const nlohmann::json* find(std::string_view key) const;
  std::string raw_;
  std::shared_ptr<const nlohmann::json> document_;
};

}  // namespace udk::image
