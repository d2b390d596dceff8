#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/secret.hpp"

namespace udk::registry {

// What a user has stored for one registry. `identity_token` (an OAuth2 refresh token) goes before the password; the
// user name "<token>" says that the password is one.
struct Credentials {
  std::string user;
  Secret password;
  Secret identity_token{};
  Secret registry_token{};  // a bearer token for the registry itself, used as it is
  std::string source{};     // where they come from, for messages
};

// Asked with the URL of the registry in use ("https://registry-1.docker.io"); nullopt: anonymous.
using CredentialsProvider = std::function<std::optional<Credentials>(const std::string& registry_url)>;

}  // namespace udk::registry
