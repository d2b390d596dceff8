#include "cli/credentials.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/path.hpp"
#include "cli/interrupt.hpp"
#include "registry/credential_helper.hpp"
#include "store/keystore.hpp"

namespace udk::cli {
namespace {

using registry::AuthFile;
using registry::Credentials;

constexpr std::size_t k_max_auth_file = std::size_t{1} << 20;

// One search for the credentials of one registry.
class CredentialSearch {
 public:
  CredentialSearch(const std::string& url, const std::string& repository, std::chrono::seconds helper_timeout)
      : url_(url),
        host_(registry::auth_host(url)),
        repository_(repository),
        helper_options_{helper_timeout, interrupted} {}

  std::optional<Credentials> run(const std::string& keystore, const std::vector<AuthFilePlace>& places) {
    auto found = from_keystore(keystore);
    for (auto it = places.begin(); !found && it != places.end(); ++it) found = from_place(*it);
    log::debug("credentials for {}: {}", host_, found ? "from " + found->source : "none are stored");
    return found;
  }

 private:
  std::optional<Credentials> from_keystore(const std::string& path) {
    auto found = store::Keystore(path).lookup(url_);
    if (!found) log::warning("{}", found.error().text);
    if (!found || !*found) return std::nullopt;
    return Credentials{(*found)->user, (*found)->password, {}, {}, path};
  }

  std::optional<Credentials> from_place(const AuthFilePlace& place) {
    auto text = read_file(place.path, k_max_auth_file);
    if (!text && text.error().code == Code::not_found && !place.must_exist) return std::nullopt;
    if (!text) return skip(text.error().text, "it is not used");
    auto file = AuthFile::parse(*text, place.form);
    if (!file) return skip(place.path + ": " + file.error().text, "correct or remove it; it is not used");
    return from_file(*file, place.path);
  }

  std::optional<Credentials> from_file(const AuthFile& file, const std::string& path) {
    if (const auto helper = file.helper_of(host_); !helper.empty()) return from_helper(helper, path);
    if (!file.store().empty())
      if (auto found = from_helper(file.store(), path)) return found;
    auto entry = file.lookup(host_, repository_);
    if (!entry) return skip(path + ": " + entry.error().text, "log in again with the tool that wrote it");
    if (*entry) (*entry)->source = path;
    return std::move(*entry);
  }

  std::optional<Credentials> from_helper(const std::string& name, const std::string& path) {
    // Several files may name the same one.
    const bool known = std::find(asked_.begin(), asked_.end(), name) != asked_.end();
    if (known || helper_options_.timeout == std::chrono::seconds(0)) return std::nullopt;
    asked_.push_back(name);
    auto found = registry::ask_helper(name, host_, helper_options_);
    if (!found && found.error().sys_errno == EINTR) return std::nullopt;
    if (!found)
      return skip(path + ": " + found.error().text, "going on without the credentials it may have for " + host_);
    if (*found) (*found)->source = "docker-credential-" + name + ", which " + path + " names,";
    return std::move(*found);
  }

  static std::nullopt_t skip(const std::string& what, const std::string& remedy) {
    log::warning("{}; {}", what, remedy);
    return std::nullopt;
  }

  std::string url_, host_, repository_;
  registry::HelperOptions helper_options_;
  std::vector<std::string> asked_;
};

}  // namespace

std::vector<AuthFilePlace> auth_file_places(const ConfigSources& sources) {
  std::vector<AuthFilePlace> out;
  const auto named = variable_of(sources, "REGISTRY_AUTH_FILE");
  const auto runtime = variable_of(sources, "XDG_RUNTIME_DIR");
  if (!named.empty())
    out.push_back({named, AuthFile::Form::config, true});
  else if (runtime.starts_with('/'))
    out.push_back({path_join(runtime, "containers/auth.json")});
  if (const auto dir = user_config_dir(sources); !dir.empty()) out.push_back({path_join(dir, "containers/auth.json")});
  const auto docker = variable_of(sources, "DOCKER_CONFIG");
  if (!docker.empty()) out.push_back({path_join(docker, "config.json")});
  if (sources.home.empty()) return out;
  if (docker.empty()) out.push_back({path_join(sources.home, ".docker/config.json")});
  out.push_back({path_join(sources.home, ".dockercfg"), AuthFile::Form::legacy});
  return out;
}

registry::CredentialsProvider stored_credentials(const Config& config, const std::string& repository) {
  const std::chrono::seconds timeout(config.credential_helper_timeout);
  return [keystore = config.keystore, timeout, repository](const std::string& url) {
    return CredentialSearch(url, repository, timeout).run(keystore, auth_file_places(config_sources_of_process("")));
  };
}

}  // namespace udk::cli
