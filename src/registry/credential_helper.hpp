#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "registry/credentials.hpp"

namespace udk::registry {

struct HelperOptions {
  std::chrono::milliseconds timeout{};
  std::function<bool()> cancelled;
};

// Asks the program docker-credential-NAME, found in an absolute directory of PATH, by the protocol of docker's
// credential helpers: `get`, the server on stdin, JSON on stdout. None: it knows none for this host (as auth_host()
// says it). Errors are one line that holds nothing of an answer with a secret; EINTR when cancelled.
Result<std::optional<Credentials>> ask_helper(const std::string& name, const std::string& host,
                                              const HelperOptions& options);

// {"Username": .., "Secret": ..}; an empty secret is none.
Result<std::optional<Credentials>> parse_helper_answer(std::string_view text);

}  // namespace udk::registry
