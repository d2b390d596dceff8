#include "registry/session.hpp"

#include "registry/call.hpp"
#include "registry/endpoint.hpp"

namespace udk::registry {
namespace {

constexpr std::size_t k_max_token_answer = std::size_t{1} << 20;

TransportOptions transport_options(const Options& options) {
  TransportOptions out;
  out.user_agent = options.user_agent;
  out.proxy = options.http_proxy;
  out.ca_file = options.ca_file;
  out.verify = options.tls == Tls::verify;
  out.connect_timeout = options.connect_timeout;
  out.stall_timeout = options.stall_timeout;
  out.cancelled = options.cancelled;
  return out;
}

// Headers of the request are public ones, except for Authorization.
CallSpec token_call(Request request) {
  CallSpec spec;
  spec.what = "access token";
  spec.url = std::move(request.url);
  spec.form = std::move(request.form);
  constexpr std::string_view k_authorization = "Authorization: ";
  for (auto& header : request.headers) {
    if (header.compare(0, k_authorization.size(), k_authorization) == 0)
      spec.authorization = header.substr(k_authorization.size());
    else
      spec.headers.push_back(std::move(header));
  }
  return spec;
}

}  // namespace

Session::Session(Options options, Url base, std::optional<Url> fallback)
    : options_(std::move(options)),
      base_(std::move(base)),
      fallback_(std::move(fallback)),
      backoff_(options_.first_delay, options_.longest_delay) {}

Result<std::unique_ptr<Session>> Session::create(Options options) {
  const auto& given = options.registry_url;
  if (given.empty()) return fail(Code::usage, "no registry to ask: the registry's URL is empty");
  bool has_scheme = given.find("://") != std::string::npos;
  TRY_ASSIGN(auto base, Url::parse(has_scheme ? given : "https://" + given));
  std::optional<Url> fallback;
  if (!has_scheme && (base.is_loopback() || options.tls == Tls::insecure)) {
    TRY_ASSIGN(fallback, Url::parse("http://" + given));
  }
  TRY_ASSIGN(auto transport, Transport::create(transport_options(options)));
  std::unique_ptr<Session> out(new Session(std::move(options), std::move(base), std::move(fallback)));
  out->transport_ = std::move(transport);
  auto* self = out.get();
  auto credentials = [self]() -> std::optional<Credentials> {
    const auto& ask = self->options_.credentials;
    return ask ? ask(keystore_key(self->options_.registry_url)) : std::nullopt;
  };
  auto fetch = [self](Request request) { return run_call(*self, token_call(std::move(request)), k_max_token_answer); };
  out->authorizer_ = std::make_unique<Authorizer>(credentials, self->options_.tls, fetch);
  return out;
}

bool Session::is_docker_hub() const {
  const auto& host = base_.host();
  constexpr std::string_view k_suffix = ".docker.io";
  return host == "docker.io" ||
         (host.size() > k_suffix.size() && host.compare(host.size() - k_suffix.size(), k_suffix.size(), k_suffix) == 0);
}

void Session::warn(const std::string& text) const {
  if (options_.on_warning) options_.on_warning(text);
}

void Session::set_contacted() {
  contacted_ = true;
  fallback_.reset();
}

bool Session::move_to_https(const Url& from, const Url& to) {
  bool same = from.origin() == base_.origin() && to.host() == from.host() && to.path() == from.path();
  if (!same || from.is_https() || !to.is_https()) return false;
  auto prefix = base_.path() == "/" ? std::string() : base_.path();
  auto moved = Url::parse("https://" + to.authority() + prefix);
  if (!moved) return false;
  base_ = std::move(*moved);
  return true;
}

bool Session::fall_back_to_http() {
  if (!fallback_ || contacted_) return false;
  base_ = *fallback_;
  fallback_.reset();
  return true;
}

}  // namespace udk::registry
