#include "registry/authorizer.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace udk::registry {
namespace {

constexpr std::string_view k_client_id = "udocker";
// By docker's convention this user name says that the password is an identity token.
constexpr std::string_view k_token_user = "<token>";

std::vector<Challenge> challenges_of(const Response& response) {
  std::vector<Challenge> out;
  for (const auto& header : response.all("www-authenticate"))
    for (auto& challenge : parse_challenges(header)) out.push_back(std::move(challenge));
  return out;
}

const Challenge* find_scheme(const std::vector<Challenge>& challenges, std::string_view scheme) {
  auto it = std::find_if(challenges.begin(), challenges.end(), [&](const Challenge& c) { return c.scheme == scheme; });
  return it == challenges.end() ? nullptr : &*it;
}

std::string form_field(std::string_view name, std::string_view value) {
  return "&" + std::string(name) + "=" + percent_encode(value);
}

// The scopes of a request: those that the challenge names, else what we know we need.
std::string wanted_scope(const Challenge& challenge, const std::string& scope) {
  auto named = challenge.param("scope");
  return named.empty() ? scope : named;
}

// Token servers without the GET form answer one of these.
bool wants_post(long status) { return status == 400 || status == 404 || status == 405 || status == 501; }

}  // namespace

Result<Url> check_realm(const std::string& realm, const Url& asked, Tls tls) {
  auto url = Url::parse(realm);
  if (!url) return fail(Code::unauthorized, "its token server's address is unusable: " + std::move(url).error().text);
  bool safe = url->is_https() || url->is_loopback() || url->host() == asked.host() || tls == Tls::insecure;
  if (safe) return url;
  return fail(Code::unauthorized,
              "it sends to a token server without TLS, " + url->shown() + ": refused (--insecure allows it)");
}

Authorizer::Authorizer(std::function<std::optional<Credentials>()> credentials, Tls tls, Fetch fetch)
    : ask_credentials_(std::move(credentials)), tls_(tls), fetch_(std::move(fetch)) {}

const std::optional<Credentials>& Authorizer::credentials() {
  if (credentials_) return *credentials_;
  credentials_ = ask_credentials_ ? ask_credentials_() : std::nullopt;
  auto& found = *credentials_;
  if (found && found->user == k_token_user && found->identity_token.empty()) {
    found->identity_token = found->password;
    found->password = Secret();
  }
  return found;
}

std::string Authorizer::basic_header() {
  const auto& known = credentials();
  if (!known || known->password.empty()) return "";
  return "Basic " + base64_encode(known->user + ":" + known->password.reveal());
}

Unexpected Authorizer::refused() {
  const auto& known = credentials();
  const bool named = known && !known->source.empty();
  return fail(Code::unauthorized, named ? "the credentials from " + known->source + " were refused"
                                        : "the stored credentials were refused");
}

Result<std::string> Authorizer::header(const std::string& scope) {
  auto it = grants_.find(scope);
  if (it == grants_.end()) return std::string();
  auto& grant = it->second;
  if (!grant.realm) return grant.token ? "Bearer " + grant.token->value.reveal() : basic_header();
  if (!grant.token || !grant.token->is_valid(std::chrono::steady_clock::now())) {
    TRY_ASSIGN(grant.token, fetch_token(grant, scope));
  }
  return "Bearer " + grant.token->value.reveal();
}

Result<> Authorizer::answer(const Url& asked, const Response& response, const std::string& scope,
                            const std::string& used) {
  auto challenges = challenges_of(response);
  const auto* bearer = find_scheme(challenges, "bearer");
  if (bearer && !bearer->param("realm").empty()) return accept_bearer(*bearer, asked, scope, used);
  if (find_scheme(challenges, "basic")) return accept_basic(scope, used);
  if (challenges.empty()) return fail(Code::unauthorized, "it demands authentication but does not say how");
  return fail(Code::unauthorized,
              "it demands authentication by '" + printable(challenges.front().scheme) + "', which is not supported");
}

Result<> Authorizer::accept_basic(const std::string& scope, const std::string& used) {
  auto header = basic_header();
  if (header.empty()) return fail(Code::unauthorized, "a login is needed");
  if (header == used) return refused();
  grants_.insert_or_assign(scope, Grant{});
  return {};
}

Result<> Authorizer::accept_bearer(const Challenge& challenge, const Url& asked, const std::string& scope,
                                   const std::string& used) {
  auto it = grants_.find(scope);
  // Another transfer has got a token while this one was under way.
  bool has_token = it != grants_.end() && it->second.token;
  if (has_token && used != "Bearer " + it->second.token->value.reveal()) return {};
  if (const auto& known = credentials(); known && !known->registry_token.empty()) {
    if (has_token) return refused();
    grants_.insert_or_assign(scope, Grant{challenge, std::nullopt, Token{known->registry_token, SteadyTime::max()}});
    return {};
  }
  TRY_ASSIGN(auto realm, check_realm(challenge.param("realm"), asked, tls_));
  Grant grant{challenge, std::move(realm), std::nullopt};
  TRY_ASSIGN(grant.token, fetch_token(grant, scope));
  grants_.insert_or_assign(scope, std::move(grant));
  return {};
}

Result<Response> Authorizer::get_token(const Grant& grant, const std::string& scope, const std::string& authorization) {
  Url url = *grant.realm;
  if (auto service = grant.challenge.param("service"); !service.empty()) url = url.with_query("service", service);
  auto scopes = wanted_scope(grant.challenge, scope);
  for (auto word : split_blank(scopes)) url = url.with_query("scope", word);
  Request request{url, {"Accept: application/json"}, std::nullopt};
  if (!authorization.empty()) request.headers.push_back("Authorization: " + authorization);
  return fetch_(std::move(request));
}

Result<Response> Authorizer::post_token(const Grant& grant, const std::string& scope, const std::string& grant_form) {
  std::string form = grant_form + form_field("client_id", k_client_id);
  form += form_field("service", grant.challenge.param("service"));
  form += form_field("scope", wanted_scope(grant.challenge, scope));
  return fetch_({*grant.realm, {"Accept: application/json"}, std::move(form)});
}

Result<Token> Authorizer::fetch_token(const Grant& grant, const std::string& scope) {
  const auto& known = credentials();
  Result<Response> answer = fail(Code::internal, "");
  if (known && !known->identity_token.empty()) {
    answer = post_token(grant, scope,
                        "grant_type=refresh_token" + form_field("refresh_token", known->identity_token.reveal()));
  } else {
    auto basic = basic_header();
    answer = get_token(grant, scope, basic);
    if (answer && !basic.empty() && wants_post(answer->status))
      answer = post_token(grant, scope,
                          "grant_type=password" + form_field("username", known->user) +
                              form_field("password", known->password.reveal()));
  }
  if (!answer) return fail(std::move(answer).error());
  if (answer->status == 401 || answer->status == 403)
    return known ? refused() : fail(Code::unauthorized, "a login is needed");
  if (answer->status < 200 || answer->status > 299)
    return fail(Code::unauthorized, "its token server " + grant.realm->authority() + " answered with status " +
                                        std::to_string(answer->status));
  return parse_token(answer->body, std::chrono::steady_clock::now());
}

}  // namespace udk::registry
