#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"

namespace udk::registry {

// Certificates of the authorities that may vouch for a server: a PEM file, a directory hashed by OpenSSL, or neither.
struct CaBundle {
  std::string file, directory;
};

// The option; CURL_CA_BUNDLE; SSL_CERT_FILE; SSL_CERT_DIR; then the places where distributions keep them. A file that
// the option or the environment names and that cannot be read is an error that says who named it. Nothing found
// anywhere: both parts are empty and verification will fail. `get_environment` returns "" for an unset variable.
Result<CaBundle> find_ca_bundle(const std::string& option,
                                const std::function<std::string(const char*)>& get_environment);
Result<CaBundle> find_ca_bundle(const std::string& option);

}  // namespace udk::registry
