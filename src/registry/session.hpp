#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "registry/authorizer.hpp"
#include "registry/client.hpp"
#include "registry/http.hpp"
#include "registry/retry.hpp"

namespace udk::registry {

// What all calls to one registry share: its address, the connections, the credentials and the pace of retries.
class Session {
 public:
  static Result<std::unique_ptr<Session>> create(Options options);

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const Url& base() const { return base_; }
  // The registry's URL of a path "/v2/..."; a prefix in the registry's URL stays before it.
  [[nodiscard]] Result<Url> url(const std::string& path) const { return Url::parse(base_.base() + path); }
  [[nodiscard]] bool is_docker_hub() const;
  Transport& transport() { return *transport_; }
  Authorizer& authorizer() { return *authorizer_; }
  Backoff& backoff() { return backoff_; }
  void warn(const std::string& text) const;

  // Whether the registry has answered yet, anything.
  [[nodiscard]] bool contacted() const { return contacted_; }
  void set_contacted();
  // Changes from https to http if the address was given without a scheme and http is allowed for it, once.
  bool fall_back_to_http();
  // Whether `to` is just the https form of `from`, an address of this registry: its address is https from now on, so
  // that credentials go there.
  bool move_to_https(const Url& from, const Url& to);

 private:
  Session(Options options, Url base, std::optional<Url> fallback);
  Options options_;
  Url base_;
  std::optional<Url> fallback_;
  bool contacted_ = false;
  Backoff backoff_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Authorizer> authorizer_;
};

}  // namespace udk::registry
