#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/option.hpp"
#include "cli/session.hpp"
#include "image/platform.hpp"
#include "image/reference.hpp"
#include "registry/client.hpp"

// From options and configuration to a registry.
namespace udk::cli {

struct PullOptions {
  std::string platform, registry, index, http_proxy;
};
// --platform, --registry, --index, --httpproxy of `pull`, `run` and `manifest`.
PullOptions pull_options(const Arguments& arguments);

// The platforms that --platform or this machine asks for, in the order in which they are wanted.
Result<std::vector<image::Platform>> wanted_platforms(const PullOptions& options);

// Does a piece of work with the registries that may have an image, one after the other until one succeeds: its
// mirrors, then the one where it belongs, whose error is the last word. Each with the stored credentials.
Result<> at_sources(const Session& session, const image::Reference& reference, const PullOptions& options,
                    const std::function<Result<>(registry::Client&)>& work);

// The registry where an image belongs, with the stored credentials.
Result<registry::Client> client_for(const Session& session, const image::Reference& reference,
                                    const PullOptions& options);

// Searches the index of a registry, or where there is none the registry itself.
class SearchClient {
 public:
  static Result<SearchClient> create(const Session& session, const image::Reference& reference,
                                     const PullOptions& options);
  // Code::not_found: no server of this registry has a search.
  Result<registry::SearchPage> page(const registry::SearchQuery& query);

 private:
  std::vector<registry::Client> clients_;  // those that may have one; the first after the first page
};

// The address of the registry that --registry names, or else Docker Hub's.
std::string registry_url(const Config& config, const std::string& named);
// That registry, with these credentials.
Result<registry::Client> client_at(const Session& session, const std::string& url,
                                   registry::CredentialsProvider credentials);

}  // namespace udk::cli
