#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "registry/credentials.hpp"

namespace udk::registry {

// By which name files of credentials know the registry of a URL: host[:port], "docker.io" for all hosts of Docker Hub.
std::string auth_host(std::string_view registry_url);

// A file of credentials as docker, podman and skopeo write it: docker's config.json, containers-auth.json(5).
class AuthFile {
 public:
  enum class Form {
    config,  // {"auths": {KEY: ENTRY}, "credHelpers": {HOST: NAME}, "credsStore": NAME}
    legacy   // ~/.dockercfg: {KEY: ENTRY}
  };
  // Code::corrupt, without a word of the content.
  static Result<AuthFile> parse(std::string_view text, Form form);

  // NAME of the program docker-credential-NAME that keeps the credentials of this host, alone; "" if none.
  [[nodiscard]] std::string helper_of(const std::string& host) const;
  // The same for all other hosts, beside the entries of the file.
  [[nodiscard]] const std::string& store() const { return store_; }
  // The entry of HOST/PATH where there is one for a part of the repository's path, the longest, else that of the host.
  // An entry without content, which stands for a helper, is none. Code::corrupt: it cannot be read.
  [[nodiscard]] Result<std::optional<Credentials>> lookup(const std::string& host, const std::string& repository) const;

 private:
  struct Entry {
    Result<std::optional<Credentials>> content;
    bool literal;  // its key was written as it is asked for
    [[nodiscard]] bool is_empty() const { return content && !*content; }
  };
  void add(const std::string& key, Result<std::optional<Credentials>> content);
  std::map<std::string, Entry> entries_;        // by HOST[/PATH]
  std::map<std::string, std::string> helpers_;  // by HOST
  std::string store_;
};

}  // namespace udk::registry
