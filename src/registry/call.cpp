#include "registry/call.hpp"

#include <ctime>

#include "registry/errors.hpp"

namespace udk::registry {
namespace {

using Clock = Transport::Clock;
using End = Exchange::End;

constexpr unsigned k_max_redirects = 10;
// A 401, the token, and once more if that token had ended on the way.
constexpr unsigned k_max_challenges = 2;
// Before the registry has answered at all, a wrong name is likelier than a bad moment.
constexpr unsigned k_first_contact_tries = 2;

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

Call::Call(Session& session, CallSpec spec) : session_(session), spec_(std::move(spec)) {}

Result<Url> Call::first_url() const { return spec_.url ? *spec_.url : session_.url(spec_.path); }

std::string Call::server() const { return url_ ? url_->authority() : session_.base().authority(); }

Result<Request> Call::next() {
  if (!url_) {
    TRY_ASSIGN(url_, first_url());
    first_origin_ = url_->origin();
  }
  Request request{*url_, spec_.headers, spec_.form};
  authorization_used_.clear();
  // Credentials belong to the server they were given for: scheme, host and port.
  if (url_->origin() != first_origin_) return request;
  authorization_used_ = spec_.authorization;
  if (!spec_.scope.empty()) {
    auto header = session_.authorizer().header(spec_.scope);
    if (!header) return denied(header.error());
    authorization_used_ = std::move(*header);
  }
  if (!authorization_used_.empty()) request.headers.push_back("Authorization: " + authorization_used_);
  return request;
}

Result<Call::Step> Call::judge(const Exchange& exchange) {
  if (exchange.end() != End::complete) return judge_failure(exchange);
  if (url_->origin() == session_.base().origin()) session_.set_contacted();
  return judge_answer(exchange.response());
}

Result<Call::Step> Call::judge_answer(const Response& response) {
  if (is_redirect(response.status) && !response.header("location").empty()) return follow(response);
  if (response.status == 401 && !spec_.scope.empty() && url_->origin() == first_origin_) return authorize(response);
  if (!is_transient_status(response.status)) return Step::answered;
  auto why = status_error(response, spec_.what, server(),
                          login_command(session_.options().registry_url, session_.is_docker_hub()));
  auto wanted = parse_retry_after(response.header("retry-after"), std::time(nullptr));
  return retry(why, wanted);
}

Result<Call::Step> Call::judge_failure(const Exchange& exchange) {
  if ((exchange.end() == End::no_tls || exchange.end() == End::unreachable) && !spec_.url &&
      session_.fall_back_to_http()) {
    url_.reset();
    return Step::again;
  }
  auto why = transport_error(exchange, spec_.what, failures_ + 1);
  switch (exchange.end()) {
    case End::no_tls:
      return session_.contacted() ? retry(why) : fail(std::move(why));
    case End::unreachable:
      if (!session_.contacted() && failures_ + 1 >= k_first_contact_tries) return fail(std::move(why));
      return retry(why);
    case End::dropped:
      return retry(why);
    default:
      return fail(std::move(why));
  }
}

Result<Call::Step> Call::retry(const Error& why, std::optional<std::chrono::seconds> wanted_delay) {
  const auto& options = session_.options();
  if (wanted_delay && *wanted_delay > options.longest_delay)
    return fail(why.code, why.text + "; it asks to wait " + std::to_string(wanted_delay->count()) + " seconds");
  if (++failures_ >= options.attempts) return fail(why);
  auto delay = session_.backoff().delay(failures_);
  if (wanted_delay) delay = std::max(delay, std::chrono::duration_cast<std::chrono::milliseconds>(*wanted_delay));
  ready_at_ = Clock::now() + delay;
  url_.reset();
  redirects_ = challenges_ = 0;
  return Step::again;
}

Result<Call::Step> Call::follow(const Response& response) {
  auto context = "redirect of the " + spec_.what + " by " + url_->authority();
  if (++redirects_ > k_max_redirects) return fail(Code::network, context + ": too many redirects");
  auto target = url_->resolve(response.header("location"));
  if (!target) return fail(Code::network, context + ": " + target.error().text);
  bool downgrade = url_->is_https() && !target->is_https();
  if (downgrade && !target->is_loopback() && session_.options().tls == Tls::verify)
    return fail(Code::network,
                context + " leads to a server without TLS, " + target->shown() + ": refused (--insecure allows it)");
  if (session_.move_to_https(*url_, *target)) {
    url_.reset();
    return Step::again;
  }
  bool repeats_post = response.status == 307 || response.status == 308;
  if (spec_.form && (!repeats_post || target->origin() != first_origin_))
    return fail(Code::network, context + " to " + target->shown() + ": refused, the request holds credentials");
  url_ = std::move(*target);
  return Step::again;
}

Result<Call::Step> Call::authorize(const Response& response) {
  if (++challenges_ > k_max_challenges) return Step::answered;
  // The token was understood and is not enough: another of the same kind would not be.
  bool enough_said = response.header("www-authenticate").find("insufficient_scope") != std::string::npos;
  if (enough_said && !authorization_used_.empty()) return Step::answered;
  auto answer = session_.authorizer().answer(*url_, response, spec_.scope, authorization_used_);
  if (!answer) return denied(answer.error());
  return Step::again;
}

Unexpected Call::denied(const Error& why) const {
  if (why.code != Code::unauthorized) return fail(why);
  auto login = login_command(session_.options().registry_url, session_.is_docker_hub());
  return fail(Code::unauthorized, server() + " does not have the " + spec_.what +
                                      " or does not give access to it: " + why.text + "; log in with '" + login + "'");
}

Result<Response> run_call(Session& session, CallSpec spec, std::size_t limit) {
  Call call(session, std::move(spec));
  for (;;) {
    TRY(session.transport().sleep(std::chrono::ceil<std::chrono::milliseconds>(call.ready_at() - Clock::now())));
    TRY_ASSIGN(auto request, call.next());
    Exchange exchange(std::move(request), limit);
    TRY(session.transport().run(exchange));
    TRY_ASSIGN(auto step, call.judge(exchange));
    if (step == Call::Step::answered) return exchange.response();
  }
}

}  // namespace udk::registry
