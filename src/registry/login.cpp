#include "registry/login.hpp"

#include "registry/call.hpp"
#include "registry/errors.hpp"

namespace udk::registry {
namespace {

constexpr std::size_t k_max_answer = std::size_t{64} << 10;
// A scope without words: the token server is asked for no access, just who somebody is.
constexpr const char* k_no_access = " ";

}  // namespace

Result<bool> check_login(Session& session) {
  CallSpec spec;
  spec.what = "login";
  spec.path = "/v2/";
  spec.scope = k_no_access;
  auto response = run_call(session, std::move(spec), k_max_answer);
  if (!response && response.error().code != Code::unauthorized) return fail(std::move(response).error());
  const auto server = session.base().authority();
  if (!response || response->status == 401 || response->status == 403)
    return fail(Code::unauthorized, "invalid credentials: " + server + " refuses them");
  if (response->status == 404) return fail(Code::not_found, server + ": no registry answers there (404 for /v2/)");
  if (response->status != 200) return fail(status_error(*response, "login", server, "udocker login"));
  TRY_ASSIGN(const auto used, session.authorizer().header(k_no_access));
  return !used.empty();
}

}  // namespace udk::registry
