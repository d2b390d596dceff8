#pragma once

#include <map>
#include <string>

#include "image/reference.hpp"

namespace udk::registry {

inline constexpr const char* k_docker_hub_registry = "https://registry-1.docker.io";
inline constexpr const char* k_docker_hub_index = "https://hub.docker.com";

// The two addresses of a registry: the distribution API and the search API. Either may lack a scheme: https is meant,
// and http is tried afterwards where that is allowed (see Options::registry_url).
struct Endpoint {
  std::string registry_url, index_url;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Where an image comes from if its name does not say so, and what names mean.
struct EndpointRules {
  Endpoint hub{k_docker_hub_registry, k_docker_hub_index};  // configuration, UDOCKER_REGISTRY, UDOCKER_INDEX
  std::string registry_option, index_option;                // --registry, --index
  std::map<std::string, Endpoint> table;  // by the registry's name in the image name, beside docker.io
};

// A registry in the image's name holds over the options (as in the Python tool), these over the hub. --registry alone
// empties the index.
Endpoint select_endpoint(const image::Reference& reference, const EndpointRules& rules);

// The key of a registry in the keystore: with "https://" where no scheme is given, without a trailing slash.
std::string keystore_key(const std::string& registry_url);

}  // namespace udk::registry
