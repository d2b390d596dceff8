#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/config.hpp"
#include "cli/option.hpp"
#include "store/store.hpp"

namespace udk::cli {

enum class Verify { tls, nothing };

// One invocation: the configuration in force and the local repository, opened when a command first asks for it.
class Session {
 public:
  // From the general options. Sets the verbosity. Errors: bad configuration, --repo that is no repository.
  static Result<Session> start(const Arguments& general);

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] Verify verify() const { return verify_; }
  [[nodiscard]] store::Paths paths() const;
  // Creates the repository if it is missing, except one that --repo named.
  Result<store::Store*> store();

 private:
  explicit Session(Config config) : config_(std::move(config)) {}
  Config config_;
  Verify verify_ = Verify::tls;
  std::unique_ptr<store::Store> store_;
};

}  // namespace udk::cli
