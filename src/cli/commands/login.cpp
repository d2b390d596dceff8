#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "cli/commands/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/lookup.hpp"
#include "cli/prompt.hpp"
#include "cli/registry_client.hpp"
#include "registry/endpoint.hpp"
#include "store/keystore.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 4> k_login_options{{
    {"-u,--username", Takes::one_value, "NAME", "the user", "asked for"},
    {"-p,--password", Takes::one_value, "PASSWORD", "the password, which others can see on this machine", "asked for"},
    {"--password-stdin", Takes::nothing, "", "read the password from the standard input", ""},
    {"--registry", Takes::one_value, "URL", "the registry", "Docker Hub"},
}};
constexpr std::array<Option, 2> k_logout_options{{
    {"-a,--all", Takes::nothing, "", "forget the credentials of all registries", ""},
    {"--registry", Takes::one_value, "URL", "the registry", "Docker Hub"},
}};

// --registry, or a word as docker takes it.
Result<std::string> chosen_registry(const Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 0, 1, ""));
  const auto named = arguments.value_or("registry", arguments.words.empty() ? "" : arguments.words[0]);
  return registry_url(session.config(), named);
}

bool is_all_capitals(const std::string& text) {
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  return std::any_of(text.begin(), text.end(), is_capital) &&
         std::none_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

Result<store::Credential> ask_credential(const Arguments& arguments) {
  const auto given = arguments.value("password");
  const bool from_stdin = arguments.has("password-stdin");
  if (given && from_stdin) return fail(Code::usage, "--password and --password-stdin exclude each other");
  auto user = arguments.value("username");
  if (!user && from_stdin) return fail(Code::usage, "must specify --username with --password-stdin");
  if (!user) {
    TRY_ASSIGN(user, ask("username: ", Echo::on));
  }
  if (given) {
    log::warning("a password on the command line can be seen by others, --password-stdin reads it from a pipe");
    return store::Credential{*user, Secret(*given)};
  }
  TRY_ASSIGN(auto password, from_stdin ? read_stdin() : ask("password: ", Echo::off));
  return store::Credential{*user, Secret(std::move(password))};
}

Result<int> execute_login(Session& session, const Arguments& arguments) {
  TRY_ASSIGN(const auto url, chosen_registry(session, arguments));
  TRY_ASSIGN(const auto credential, ask_credential(arguments));
  if (is_all_capitals(credential.password.reveal())) log::warning("password in uppercase, Caps Lock?");
  if (credential.user.empty() || credential.password.empty())
    return fail(Code::usage, "invalid credentials: a user name and a password are needed");
  const InterruptScope interruptible;
  TRY_ASSIGN(auto client, client_at(session, url, [&](const std::string&) {
               return registry::Credentials{credential.user, credential.password, Secret()};
             }));
  TRY_ASSIGN(const bool asked, client.check_login());
  if (!asked) log::warning("{} lets everybody in: the credentials were stored without having been checked", url);
  TRY(store::Keystore(session.config().keystore).put(registry::keystore_key(url), credential));
  return k_exit_ok;
}

Result<int> execute_logout(Session& session, const Arguments& arguments) {
  TRY_ASSIGN(const auto url, chosen_registry(session, arguments));
  const store::Keystore keystore(session.config().keystore);
  auto done = arguments.has("all") ? keystore.clear() : keystore.remove(registry::keystore_key(url));
  if (!done && done.error().code == Code::not_found)
    return fail(Code::not_found, "deleting credentials: there are none for " + registry::keystore_key(url));
  if (!done) return fail(std::move(done).error().context("deleting credentials"));
  return k_exit_ok;
}

}  // namespace

const Command k_login{"login",         "[REGISTRY]", "store the credentials for a registry, if it takes them",
                      k_login_options, Order::mixed, execute_login};
const Command k_logout{"logout",         "[REGISTRY]", "forget the credentials for a registry",
                       k_logout_options, Order::mixed, execute_logout};

}  // namespace udk::cli
