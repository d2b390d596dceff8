#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "image/reference.hpp"
#include "registry/endpoint.hpp"

namespace udk::registry {

enum class PullFrom { all, digest_only, tag_only };

struct MirrorRule {
  std::string location;
  bool insecure = false;
  PullFrom serves = PullFrom::all;
};

// What containers-registries.conf(5) says of the images whose names begin with a prefix.
struct RegistryRule {
  std::string prefix;    // HOST[:PORT][/PATH][:TAG|@DIGEST], or *.HOST
  std::string location;  // what stands for the prefix; "": itself
  bool insecure = false, blocked = false;
  std::vector<MirrorRule> mirrors;
  std::string file;  // that says it

  // How much of a name the prefix covers, 0 if it is another's.
  [[nodiscard]] std::size_t covers(const std::string& name) const;
};

class Registries {
 public:
  // Adds a file of version 2, or of version 1 (insecure and blocked registries); a rule replaces that of an earlier
  // file with the same prefix. Names without a registry keep their meaning: unqualified-search-registries and aliases
  // play no part. Code::usage names the file and the line or key.
  Result<> add(std::string_view text, const std::string& file);
  // The rule that covers most of HOST[:PORT]/REPOSITORY[:TAG|@DIGEST]; nullptr if none.
  [[nodiscard]] const RegistryRule* find(const std::string& name) const;

 private:
  std::vector<RegistryRule> rules_;
};

// A place that an image can be fetched from.
struct Source {
  std::string registry_url;  // with or without a scheme, as in Options
  std::string repository;    // of the image there; "": as its name says
  bool insecure = false;
};

// Where an image comes from, in the order in which it is tried: the mirrors that serve it, then the location. What our
// own options or configuration say of its registry leaves nothing to the rules but `insecure`. Code::denied: blocked.
Result<std::vector<Source>> sources_of(const image::Reference& reference, const EndpointRules& own,
                                       const Registries& registries);

// Whether a rule calls the registry of this URL insecure.
bool is_insecure(const std::string& registry_url, const Registries& registries);

}  // namespace udk::registry
