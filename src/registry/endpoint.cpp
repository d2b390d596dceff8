#include "registry/endpoint.hpp"

namespace udk::registry {

Endpoint select_endpoint(const image::Reference& reference, const EndpointRules& rules) {
  const auto& domain = reference.domain();
  if (!domain.empty()) {
    if (auto it = rules.table.find(domain); it != rules.table.end()) return it->second;
    if (reference.is_docker_hub()) return rules.hub;
    return {domain, domain};
  }
  if (!rules.registry_option.empty()) return {rules.registry_option, rules.index_option};
  if (!rules.index_option.empty()) return {rules.hub.registry_url, rules.index_option};
  return rules.hub;
}

std::string keystore_key(const std::string& registry_url) {
  std::string out = registry_url;
  while (!out.empty() && out.back() == '/') out.pop_back();
  return out.find("://") == std::string::npos ? "https://" + out : out;
}

}  // namespace udk::registry
