#include "registry/registries.hpp"

#include <algorithm>
#include <tuple>

#include "base/text.hpp"
#include "registry/auth_file.hpp"

namespace udk::registry {
namespace {

std::size_t host_end(const std::string& name) { return std::min(name.find('/'), name.size()); }

// A name as rules are written for it: without tag and digest, and with them.
struct LogicalName {
  std::string bare, whole;
};

LogicalName logical_name(const image::Reference& reference) {
  const bool hub = reference.is_docker_hub();
  const auto host = hub ? "docker.io" : to_lower(reference.domain());
  const auto bare = host + "/" + (hub ? reference.remote_repository() : reference.path());
  return {bare, bare + (reference.digest() ? "@" : ":") + reference.remote_tag()};
}

// Whether our own options or configuration name the registry.
bool is_chosen(const image::Reference& reference, const EndpointRules& own, const Endpoint& endpoint) {
  if (!reference.is_docker_hub()) return own.table.count(reference.domain()) != 0;
  const bool by_option = reference.domain().empty() && !own.registry_option.empty();
  return by_option || endpoint.registry_url != k_docker_hub_registry;
}

Result<Source> at_location(const std::string& location, bool insecure, const RegistryRule& rule,
                           const LogicalName& name) {
  const auto covered = rule.covers(name.whole);
  const auto moved = location + (covered < name.bare.size() ? name.bare.substr(covered) : "");
  const auto slash = host_end(moved);
  if (slash + 1 >= moved.size())
    return fail(Code::usage, rule.file + ": location '" + location + "' names no repository for " + name.whole);
  const auto host = moved.substr(0, slash);
  return Source{auth_host(host) == "docker.io" ? k_docker_hub_registry : host, moved.substr(slash + 1), insecure};
}

bool serves(const MirrorRule& mirror, bool by_digest) {
  return mirror.serves == PullFrom::all || (mirror.serves == PullFrom::digest_only) == by_digest;
}

}  // namespace

std::size_t RegistryRule::covers(const std::string& name) const {
  const auto end = host_end(name);
  if (prefix.starts_with("*.")) {
    const auto host = name.substr(0, std::min(name.find(':'), end));
    return host.ends_with(prefix.substr(1)) ? end : 0;
  }
  if (!name.starts_with(prefix)) return 0;
  // Behind a host alone ':' would begin a port, and that is another registry.
  const bool whole_host = prefix.size() == end;
  const bool whole_part = prefix.size() == name.size() || name[prefix.size()] == '/' ||
                          (prefix.size() > end && (name[prefix.size()] == ':' || name[prefix.size()] == '@'));
  return whole_host || whole_part ? prefix.size() : 0;
}

const RegistryRule* Registries::find(const std::string& name) const {
  const RegistryRule* best = nullptr;
  // Of two that cover the same, a host goes before a wildcard, and a longer wildcard before a short one.
  std::tuple<std::size_t, bool, std::size_t> most;
  for (const auto& rule : rules_) {
    const std::tuple says{rule.covers(name), !rule.prefix.starts_with("*."), rule.prefix.size()};
    if (std::get<0>(says) == 0 || says <= most) continue;
    best = &rule;
    most = says;
  }
  return best;
}

bool is_insecure(const std::string& registry_url, const Registries& registries) {
  const auto* rule = registries.find(auth_host(registry_url));
  return rule && rule->insecure;
}

Result<std::vector<Source>> sources_of(const image::Reference& reference, const EndpointRules& own,
                                       const Registries& registries) {
  const auto endpoint = select_endpoint(reference, own);
  if (is_chosen(reference, own, endpoint))
    return std::vector{Source{endpoint.registry_url, "", is_insecure(endpoint.registry_url, registries)}};
  const auto name = logical_name(reference);
  const auto* rule = registries.find(name.whole);
  if (!rule) return std::vector{Source{endpoint.registry_url, "", false}};
  if (rule->blocked)
    return fail(Code::denied, name.whole + " is blocked: " + rule->file + " says so of " + rule->prefix);
  std::vector<Source> out;
  for (const auto& mirror : rule->mirrors) {
    if (!serves(mirror, reference.digest().has_value())) continue;
    TRY_ASSIGN(auto source, at_location(mirror.location, mirror.insecure, *rule, name));
    out.push_back(std::move(source));
  }
  const bool moved = !rule->location.empty() && rule->location != rule->prefix;
  if (moved) {
    TRY_ASSIGN(auto source, at_location(rule->location, rule->insecure, *rule, name));
    out.push_back(std::move(source));
  } else {
    out.push_back({endpoint.registry_url, "", rule->insecure});
  }
  return out;
}

}  // namespace udk::registry
