#pragma once

#include <string>
#include <vector>

#include "cli/config.hpp"
#include "registry/auth_file.hpp"
#include "registry/credentials.hpp"

// The credentials that the user has stored, by udocker or by other tools.
namespace udk::cli {

struct AuthFilePlace {
  std::string path;
  registry::AuthFile::Form form = registry::AuthFile::Form::config;
  bool must_exist = false;
};
// Where other tools keep theirs, in the order of containers-auth.json(5).
std::vector<AuthFilePlace> auth_file_places(const ConfigSources& sources);

// Looks into the keystore, then into those files, for a repository at the registry asked ("": for none in particular).
// What cannot be read or asked is a warning, and the next place is looked into.
registry::CredentialsProvider stored_credentials(const Config& config, const std::string& repository);

}  // namespace udk::cli
