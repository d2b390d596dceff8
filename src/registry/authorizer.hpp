#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "registry/challenge.hpp"
#include "registry/client.hpp"
#include "registry/credentials.hpp"
#include "registry/http.hpp"
#include "registry/token.hpp"

namespace udk::registry {

// The credentials that one registry asks for, obtained once per scope and used for all requests until they end.
class Authorizer {
 public:
  // Sends a request to a token server and follows it to its answer, whatever the status.
  using Fetch = std::function<Result<Response>(Request)>;

  // `credentials` is asked at the first challenge, once.
  Authorizer(std::function<std::optional<Credentials>()> credentials, Tls tls, Fetch fetch);

  // The value of Authorization for requests of this scope ("repository:NAME:pull"); "" as long as nothing was asked
  // for. A token that has ended is renewed first.
  Result<std::string> header(const std::string& scope);
  // After a 401 from `asked` for a request that carried `used`: gets what the challenge wants. Success means that
  // header() gives something new; Code::unauthorized (a short reason) that there is nothing better to offer.
  Result<> answer(const Url& asked, const Response& response, const std::string& scope, const std::string& used);

 private:
  // How requests of one scope are authorised.
  struct Grant {
    Challenge challenge;
    std::optional<Url> realm;  // of the token server; none: Basic, or the token that the user has
    std::optional<Token> token;
  };

  Result<> accept_basic(const std::string& scope, const std::string& used);
  Result<> accept_bearer(const Challenge& challenge, const Url& asked, const std::string& scope,
                         const std::string& used);
  Result<Token> fetch_token(const Grant& grant, const std::string& scope);
  Result<Response> get_token(const Grant& grant, const std::string& scope, const std::string& authorization);
  Result<Response> post_token(const Grant& grant, const std::string& scope, const std::string& grant_form);
  const std::optional<Credentials>& credentials();
  [[nodiscard]] std::string basic_header();
  Unexpected refused();

  std::function<std::optional<Credentials>()> ask_credentials_;
  std::optional<std::optional<Credentials>> credentials_;
  Tls tls_;
  Fetch fetch_;
  std::map<std::string, Grant> grants_;
};

// The token server's address from a challenge that `asked` sent. A password may go there, so it must be https, or the
// registry's own host, or loopback; Tls::insecure lifts that.
Result<Url> check_realm(const std::string& realm, const Url& asked, Tls tls);

}  // namespace udk::registry
