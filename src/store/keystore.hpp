#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace udk::store {

struct Credential {
  std::string user;
  Secret password;
};

// The credentials of registries: a JSON object {"https://host": {"auth": base64(user:password), "email": ""}}, kept
// with mode 0600.
class Keystore {
 public:
  explicit Keystore(std::string path) : path_(std::move(path)) {}

  // For a registry's URL, tried as given, then without its scheme. None: no file or no such key. Code::corrupt:
  // unreadable content.
  [[nodiscard]] Result<std::optional<Credential>> lookup(const std::string& url) const;

  // The three that write refuse (Code::denied) a file or directory of somebody else, and a file that others can read.
  Result<> put(const std::string& url, const Credential& credential) const;
  // Code::not_found: no such key. Like the Python tool, the URL is looked up as given, then without its scheme.
  Result<> remove(const std::string& url) const;
  // Deletes the file; its content is overwritten first. A missing file is no error.
  Result<> clear() const;

 private:
  std::string path_;
};

}  // namespace udk::store
