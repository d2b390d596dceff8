#include "registry/http.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.hpp"

namespace udk::registry {
namespace {

constexpr std::size_t k_max_header_bytes = std::size_t{256} << 10;
constexpr long k_buffer_size = 128L << 10;
constexpr std::chrono::milliseconds k_cancel_interval{100};

Error interrupted() { return {Code::io, EINTR, "interrupted"}; }

Exchange::End end_of(CURLcode code) {
  using End = Exchange::End;
  switch (code) {
    case CURLE_OK:
      return End::complete;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return End::unreachable;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
      return End::dropped;
    case CURLE_SSL_CONNECT_ERROR:
      return End::no_tls;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return End::untrusted;
    case CURLE_WRITE_ERROR:
      return End::refused;
    default:
      return End::broken;
  }
}

}  // namespace

std::string Response::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return "";
}

std::vector<std::string> Response::all(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& [key, value] : headers)
    if (key == name) out.push_back(value);
  return out;
}

struct Exchange::Handle {
  CURL* easy = curl_easy_init();
  curl_slist* list = nullptr;
  Transport* transport = nullptr;
  std::size_t header_bytes = 0;
  std::array<char, CURL_ERROR_SIZE> text{};

  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(list);
  }
};

Exchange::Exchange(Request request, std::size_t limit) : Exchange(std::move(request), limit, nullptr) {}

Exchange::Exchange(Request request, std::size_t limit, Consumer consumer)
    : request_(std::move(request)),
      limit_(limit),
      consumer_(std::move(consumer)),
      handle_(std::make_unique<Handle>()) {}

Exchange::~Exchange() {
  if (handle_->transport) handle_->transport->forget(*this);
}

std::size_t Exchange::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  exchange.handle_->header_bytes += size * count;
  if (exchange.handle_->header_bytes > k_max_header_bytes) {
    exchange.refusal_ = Error(Code::corrupt, "the server sent too many headers");
    return 0;
  }
  exchange.take_header({data, size * count});
  return size * count;
}

void Exchange::take_header(std::string_view line) {
  // A status line begins a new answer: what came before was informational (1xx).
  if (line.substr(0, 5) == "HTTP/") {
    response_.headers.clear();
    return;
  }
  auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  response_.headers.emplace_back(to_lower(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1))));
}

std::size_t Exchange::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  return exchange.take_body(std::as_bytes(std::span(data, size * count))) ? size * count : 0;
}

bool Exchange::take_body(Bytes data) {
  received_ += data.size();
  curl_easy_getinfo(handle_->easy, CURLINFO_RESPONSE_CODE, &response_.status);
  if (consumer_ && (response_.status == 200 || response_.status == 206)) {
    auto result = consumer_(response_, data);
    if (!result) refusal_ = std::move(result).error();
    return !refusal_;
  }
  auto room = limit_ - std::min(limit_, response_.body.size());
  if (data.size() > room && !consumer_) {
    refusal_ = Error(Code::corrupt, "the answer is larger than " + std::to_string(limit_) + " bytes: refused");
    return false;
  }
  response_.body.append(reinterpret_cast<const char*>(data.data()), std::min(room, data.size()));
  return true;
}

void Exchange::finish(int curl_code) {
  auto code = static_cast<CURLcode>(curl_code);
  curl_easy_getinfo(handle_->easy, CURLINFO_RESPONSE_CODE, &response_.status);
  end_ = end_of(code);
  if (refusal_) {
    end_ = End::refused;
    error_ = *refusal_;
    return;
  }
  if (end_ == End::complete) return;
  curl_off_t connected = 0;
  curl_easy_getinfo(handle_->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
  if (code == CURLE_OPERATION_TIMEDOUT && connected == 0) end_ = End::unreachable;
  // The text of this failure is more exact than the one of its number.
  std::string text = printable(trim(handle_->text.data()));
  if (text.empty()) text = curl_easy_strerror(code);
  error_ = Error(Code::network, text);
}

Transport::Transport(TransportOptions options) : options_(std::move(options)), multi_(curl_multi_init()) {}

Transport::~Transport() { curl_multi_cleanup(multi_); }

Result<std::unique_ptr<Transport>> Transport::create(TransportOptions options) {
  std::unique_ptr<Transport> out(new Transport(std::move(options)));
  if (!out->multi_) return fail(Code::internal, "libcurl cannot be initialised");
  return out;
}

Result<> Transport::configure_trust(void* easy) {
  if (!options_.verify) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    return {};
  }
  if (!ca_) {
    TRY_ASSIGN(ca_, find_ca_bundle(options_.ca_file));
  }
  curl_easy_setopt(easy, CURLOPT_CAINFO, ca_->file.empty() ? nullptr : ca_->file.c_str());
  curl_easy_setopt(easy, CURLOPT_CAPATH, ca_->directory.empty() ? nullptr : ca_->directory.c_str());
  return {};
}

Result<> Transport::configure(Exchange& exchange) {
  auto& handle = *exchange.handle_;
  auto* easy = handle.easy;
  if (!easy) return fail(Code::internal, "out of memory");
  for (const auto& header : exchange.request_.headers) handle.list = curl_slist_append(handle.list, header.c_str());
  curl_easy_setopt(easy, CURLOPT_URL, exchange.request_.url.text().c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, handle.list);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, k_buffer_size);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options_.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stall_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handle.text.data());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &exchange);
  // The environment's proxy is meant for other hosts, and does not know ours: as with docker, loopback is asked itself.
  if (!options_.proxy.empty() || exchange.request_.url.is_loopback())
    curl_easy_setopt(easy, CURLOPT_PROXY, options_.proxy.c_str());
  if (exchange.request_.form) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(exchange.request_.form->size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange.request_.form->c_str());
  }
  return exchange.request_.url.is_https() ? configure_trust(easy) : Result<>{};
}

Result<> Transport::start(Exchange& exchange) {
  TRY(configure(exchange));
  if (curl_multi_add_handle(multi_, exchange.handle_->easy) != CURLM_OK) return fail(Code::internal, "out of memory");
  exchange.handle_->transport = this;
  return {};
}

void Transport::forget(Exchange& exchange) {
  curl_multi_remove_handle(multi_, exchange.handle_->easy);
  exchange.handle_->transport = nullptr;
  finished_.erase(std::remove(finished_.begin(), finished_.end(), &exchange), finished_.end());
}

Exchange* Transport::next_finished() {
  if (finished_.empty()) return nullptr;
  auto* exchange = finished_.front();
  finished_.pop_front();
  return exchange;
}

Result<> Transport::step(Clock::time_point until) {
  if (options_.cancelled && options_.cancelled()) return fail(interrupted());
  int running = 0;
  if (curl_multi_perform(multi_, &running) != CURLM_OK) return fail(Code::internal, "libcurl failed");
  int left = 0;
  bool any = false;
  while (auto* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* self = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
    auto* exchange = reinterpret_cast<Exchange*>(self);
    auto code = message->data.result;
    curl_multi_remove_handle(multi_, message->easy_handle);
    exchange->handle_->transport = nullptr;
    exchange->finish(code);
    exchange->handle_->transport = this;
    finished_.push_back(exchange);
    any = true;
  }
  if (any) return {};
  auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  wait = std::clamp(wait, std::chrono::milliseconds(0), k_cancel_interval);
  if (curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait.count()), nullptr) != CURLM_OK)
    return fail(Code::internal, "libcurl failed");
  return {};
}

Result<> Transport::wait(Clock::time_point until) {
  TRY(step(finished_.empty() ? until : Clock::now()));
  while (finished_.empty() && Clock::now() < until) TRY(step(until));
  return {};
}

Result<> Transport::run(Exchange& exchange) {
  TRY(start(exchange));
  while (exchange.end_ == Exchange::End::running) TRY(step(Clock::now() + k_cancel_interval));
  finished_.erase(std::remove(finished_.begin(), finished_.end(), &exchange), finished_.end());
  return {};
}

Result<> Transport::sleep(std::chrono::milliseconds time) {
  auto until = Clock::now() + time;
  while (Clock::now() < until) TRY(step(until));
  return {};
}

}  // namespace udk::registry
