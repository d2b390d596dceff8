#include "cli/registry_client.hpp"

#include "base/log.hpp"
#include "cli/credentials.hpp"
#include "cli/interrupt.hpp"
#include "registry/endpoint.hpp"

namespace udk::cli {
namespace {

registry::EndpointRules endpoint_rules(const Config& config, const PullOptions& options) {
  registry::EndpointRules rules;
  if (auto hub = config.docker_registries.find("docker.io"); hub != config.docker_registries.end()) {
    rules.hub = {hub->second.registry, hub->second.index};
  }
  rules.registry_option = options.registry;
  rules.index_option = options.index;
  for (const auto& [name, row] : config.docker_registries) rules.table[name] = {row.registry, row.index};
  return rules;
}

registry::Options client_options(const Session& session, const std::string& url, const std::string& repository) {
  const auto& config = session.config();
  registry::Options client;
  client.registry_url = url;
  client.http_proxy = config.http_proxy;
  client.tls = session.verify() == Verify::tls ? registry::Tls::verify : registry::Tls::insecure;
  client.credentials = stored_credentials(config, repository);
  if (!config.http_agent.empty()) client.user_agent = config.http_agent;
  client.connect_timeout = std::chrono::seconds(config.ctimeout);
  client.cancelled = interrupted;
  client.on_warning = [](const std::string& line) { log::warning("{}", line); };
  return client;
}

}  // namespace

PullOptions pull_options(const Arguments& arguments) {
  return {arguments.value_or("platform", ""), arguments.value_or("registry", ""), arguments.value_or("index", ""),
          arguments.value_or("httpproxy", "")};
}

Result<std::vector<image::Platform>> wanted_platforms(const PullOptions& options) {
  if (options.platform.empty()) return image::host_platforms();
  TRY_ASSIGN(auto platform, image::Platform::parse(options.platform, image::host_platform()));
  return std::vector{std::move(platform)};
}

Result<registry::Client> client_for(const Session& session, const image::Reference& reference,
                                    const PullOptions& options) {
  const auto endpoint = registry::select_endpoint(reference, endpoint_rules(session.config(), options));
  const auto repository = reference.is_docker_hub() ? reference.remote_repository() : reference.path();
  auto client = client_options(session, endpoint.registry_url, repository);
  if (!options.http_proxy.empty()) client.http_proxy = options.http_proxy;
  return registry::Client::create(std::move(client));
}

Result<SearchClient> SearchClient::create(const Session& session, const image::Reference& reference,
                                          const PullOptions& options) {
  const auto endpoint = registry::select_endpoint(reference, endpoint_rules(session.config(), options));
  SearchClient out;
  for (const auto& url : {endpoint.index_url, endpoint.registry_url}) {
    if (url.empty() || (!out.clients_.empty() && endpoint.index_url == endpoint.registry_url)) continue;
    auto client = client_options(session, url, "");
    if (!options.http_proxy.empty()) client.http_proxy = options.http_proxy;
    TRY_ASSIGN(auto made, registry::Client::create(std::move(client)));
    out.clients_.push_back(std::move(made));
  }
  return out;
}

Result<registry::SearchPage> SearchClient::page(const registry::SearchQuery& query) {
  for (;;) {
    auto found = clients_.front().search(query);
    if (found) clients_.erase(clients_.begin() + 1, clients_.end());
    if (found || found.error().code != Code::not_found || clients_.size() == 1) return found;
    clients_.erase(clients_.begin());
  }
}

std::string registry_url(const Config& config, const std::string& named) {
  const auto row = config.docker_registries.find(named.empty() ? "docker.io" : named);
  return row == config.docker_registries.end() ? named : row->second.registry;
}

Result<registry::Client> client_at(const Session& session, const std::string& url,
                                   registry::CredentialsProvider credentials) {
  auto client = client_options(session, url, "");
  client.credentials = std::move(credentials);
  return registry::Client::create(std::move(client));
}

}  // namespace udk::cli
