#include "cli/registry_client.hpp"

#include "base/log.hpp"
#include "cli/credentials.hpp"
#include "cli/interrupt.hpp"
#include "cli/registries.hpp"
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

registry::Options client_options(const Session& session, const registry::Source& source) {
  const auto& config = session.config();
  registry::Options client;
  client.registry_url = source.registry_url;
  client.repository = source.repository;
  client.http_proxy = config.http_proxy;
  const bool verify = session.verify() == Verify::tls && !source.insecure;
  client.tls = verify ? registry::Tls::verify : registry::Tls::insecure;
  client.credentials = stored_credentials(config, source.repository);
  if (!config.http_agent.empty()) client.user_agent = config.http_agent;
  client.connect_timeout = std::chrono::seconds(config.ctimeout);
  client.cancelled = interrupted;
  client.on_warning = [](const std::string& line) { log::warning("{}", line); };
  return client;
}

Result<std::vector<registry::Source>> sources_of(const Session& session, const image::Reference& reference,
                                                 const PullOptions& options) {
  TRY_ASSIGN(const auto registries, load_registries());
  return registry::sources_of(reference, endpoint_rules(session.config(), options), registries);
}

Result<registry::Client> client_of(const Session& session, const image::Reference& reference,
                                   const PullOptions& options, const registry::Source& source) {
  auto client = client_options(session, source);
  if (source.repository.empty())
    client.credentials = stored_credentials(
        session.config(), reference.is_docker_hub() ? reference.remote_repository() : reference.path());
  if (!options.http_proxy.empty()) client.http_proxy = options.http_proxy;
  return registry::Client::create(std::move(client));
}

// Whether it is the fault of the registry, so that another may do better.
bool is_of_registry(const Error& error) {
  switch (error.code) {
    case Code::not_found:
    case Code::unauthorized:
    case Code::denied:
    case Code::network:
    case Code::corrupt:
    case Code::unsupported:
      return error.sys_errno == 0;
    default:
      return false;
  }
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

Result<> at_sources(const Session& session, const image::Reference& reference, const PullOptions& options,
                    const std::function<Result<>(registry::Client&)>& work) {
  TRY_ASSIGN(const auto sources, sources_of(session, reference, options));
  for (auto source = sources.begin();; ++source) {
    TRY_ASSIGN(auto client, client_of(session, reference, options, *source));
    auto done = work(client);
    if (done || source + 1 == sources.end() || !is_of_registry(done.error())) return done;
    log::info("{}; asking {}", done.error().text, (source + 1)->registry_url);
  }
}

Result<registry::Client> client_for(const Session& session, const image::Reference& reference,
                                    const PullOptions& options) {
  TRY_ASSIGN(const auto sources, sources_of(session, reference, options));
  return client_of(session, reference, options, sources.back());
}

Result<SearchClient> SearchClient::create(const Session& session, const image::Reference& reference,
                                          const PullOptions& options) {
  const auto endpoint = registry::select_endpoint(reference, endpoint_rules(session.config(), options));
  TRY_ASSIGN(auto sources, sources_of(session, reference, options));
  auto& source = sources.back();
  // Where the images are elsewhere than their names say, the index of the names is not asked, unless by --index.
  const bool moved = source.registry_url != endpoint.registry_url;
  const bool by_option = reference.domain().empty() && !options.index.empty();
  const auto index = moved && !by_option ? "" : endpoint.index_url;
  SearchClient out;
  for (const auto& url : {index, source.registry_url}) {
    if (url.empty() || (!out.clients_.empty() && index == url)) continue;
    auto client = client_options(session, {url, "", source.insecure});
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
  TRY_ASSIGN(const auto registries, load_registries());
  auto client = client_options(session, {url, "", registry::is_insecure(url, registries)});
  client.credentials = std::move(credentials);
  return registry::Client::create(std::move(client));
}

}  // namespace udk::cli
