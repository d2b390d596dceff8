#include "registry/ca_bundle.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/file.hpp"

namespace udk::registry {
namespace {

constexpr std::array<const char*, 8> k_files{
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Alpine, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Red Hat family
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Red Hat family, newer
    "/etc/ssl/ca-bundle.pem",                             // SUSE
    "/var/lib/ca-certificates/ca-bundle.pem",             // SUSE, newer
    "/etc/ssl/cert.pem",                                  // Alpine, musl distributions
    "/etc/ssl/certs/ca-bundle.crt",                       // Nix
    "/usr/local/share/certs/ca-root-nss.crt"};
constexpr const char* k_directory = "/etc/ssl/certs";

bool is_readable_file(const std::string& path) { return ::access(path.c_str(), R_OK) == 0 && !is_dir(path); }

Result<CaBundle> named_file(const std::string& path, const std::string& by) {
  if (is_readable_file(path)) return CaBundle{path, ""};
  return fail(Code::usage, "the CA certificate file '" + path + "' that " + by + " names cannot be read");
}

}  // namespace

Result<CaBundle> find_ca_bundle(const std::string& option,
                                const std::function<std::string(const char*)>& get_environment) {
  if (!option.empty()) return named_file(option, "the configuration");
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"})
    if (auto value = get_environment(name); !value.empty()) return named_file(value, name);
  if (auto value = get_environment("SSL_CERT_DIR"); !value.empty()) {
    if (is_dir(value)) return CaBundle{"", value};
    return fail(Code::usage, "the CA certificate directory '" + value + "' that SSL_CERT_DIR names does not exist");
  }
  for (const char* path : k_files)
    if (is_readable_file(path)) return CaBundle{path, ""};
  return CaBundle{"", is_dir(k_directory) ? k_directory : ""};
}

Result<CaBundle> find_ca_bundle(const std::string& option) {
  return find_ca_bundle(option, [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  });
}

}  // namespace udk::registry
