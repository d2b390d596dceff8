#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "container/build.hpp"
#include "container/metadata.hpp"
#include "container/users.hpp"

namespace udk::container {

// Variables in the order of their first assignment.
class Environment {
 public:
  void set(std::string key, std::string value);
  void erase(std::string_view key);
  [[nodiscard]] std::optional<std::string> get(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const { return get(key).has_value(); }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& variables() const { return variables_; }
  [[nodiscard]] std::vector<std::string> list() const;  // "KEY=VALUE"

 private:
  std::vector<std::pair<std::string, std::string>> variables_;
};

// What the container itself sets, in docker's precedence: the image's Env, then the env files, then -e; later ones win.
// A key without "=" takes the host's value. Names that no shell could use are dropped with a notice. An env file that
// cannot be read is an error.
Result<Environment> container_environment(const Metadata& metadata, const RunOptions& options, const HostFacts& host,
                                          std::vector<Notice>& notices);

// The whole environment of the payload: host variables (the allowed ones, or all with --hostenv) beneath the
// container's, PATH and HOME where unset, and the variables that udocker always sets.
Environment complete_environment(Environment container_variables, const ResolvedUser& user,
                                 const ContainerInfo& container, const RunOptions& options, const Settings& settings,
                                 const HostFacts& host);

}  // namespace udk::container
