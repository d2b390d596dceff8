#include "registry/credential_helper.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/subprocess.hpp"
#include "base/text.hpp"

namespace udk::registry {
namespace {

constexpr std::size_t k_max_helper_answer = std::size_t{256} << 10;
constexpr std::size_t k_longest_reason = 200;
// What all helpers say for "none" (docker-credential-helpers, credentials/error.go).
constexpr std::string_view k_not_found = "credentials not found in native keychain";

bool is_helper_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

// docker knows Docker Hub by this URL, podman by its name.
std::vector<std::string> servers_of(const std::string& host) {
  if (host == "docker.io") return {"https://index.docker.io/v1/", host};
  return {host};
}

// The reason stands on stdout. JSON may be credentials, so it is not shown.
std::string reason_of(const CapturedRun& run) {
  const auto text = trim(run.out);
  if (!WIFEXITED(run.status)) return "ended by signal " + std::to_string(WTERMSIG(run.status));
  auto status = "status " + std::to_string(WEXITSTATUS(run.status));
  if (text.empty() || text.find('{') != std::string_view::npos) return status;
  return printable(text.substr(0, std::min(text.find('\n'), k_longest_reason))) + " (" + status + ")";
}

Result<std::optional<Credentials>> ask_for_server(const std::string& program, const std::string& server,
                                                  const HelperOptions& options) {
  TRY_ASSIGN(const auto run,
             run_captured({program, "get"}, {options.timeout, k_max_helper_answer, server, options.cancelled}));
  const bool good = WIFEXITED(run.status) && WEXITSTATUS(run.status) == 0;
  if (!good && trim(run.out) == k_not_found) return std::optional<Credentials>();
  if (!good) return fail(Code::unauthorized, program + ": " + reason_of(run));
  auto answer = parse_helper_answer(run.out);
  if (!answer) return fail(std::move(answer).error().context(program));
  return answer;
}

}  // namespace

Result<std::optional<Credentials>> parse_helper_answer(std::string_view text) {
  const auto document = nlohmann::json::parse(text, nullptr, false);
  const auto member = [&](const char* key) -> std::optional<std::string> {
    auto it = document.is_object() ? document.find(key) : document.end();
    return it != document.end() && it->is_string() ? std::optional(it->get<std::string>()) : std::nullopt;
  };
  const auto user = member("Username");
  const auto secret = member("Secret");
  if (!user || !secret) return fail(Code::corrupt, "its answer is not JSON with a Username and a Secret");
  // docker-credential-pass answers so of what it does not know.
  if (secret->empty()) return std::optional<Credentials>();
  return std::optional(Credentials{*user, Secret(*secret)});
}

Result<std::optional<Credentials>> ask_helper(const std::string& name, const std::string& host,
                                              const HelperOptions& options) {
  if (!is_helper_name(name))
    return fail(Code::usage,
                "'" + printable(name.substr(0, k_longest_reason)) + "' is not the name of a credential helper");
  const auto command = "docker-credential-" + name;
  const char* path = std::getenv("PATH");
  const auto program = find_executable(command, path ? path : "/usr/bin:/bin");
  // Not out of a directory that just happens to be the current one.
  if (!program.starts_with('/')) return fail(Code::not_found, command + ": command not found");
  for (const auto& server : servers_of(host)) {
    auto found = ask_for_server(program, server, options);
    if (!found || *found) return found;
  }
  return std::optional<Credentials>();
}

}  // namespace udk::registry
