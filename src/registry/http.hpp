#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.hpp"
#include "base/result.hpp"
#include "registry/ca_bundle.hpp"
#include "registry/url.hpp"

// HTTP exchanges over libcurl's multi interface, in one thread. No redirects, no authentication, no retries: those are
// the business of Call.
namespace udk::registry {

struct Request {
  Url url;
  std::vector<std::string> headers;  // "Name: value"
  std::optional<std::string> form;   // POST with this application/x-www-form-urlencoded body
};

struct Response {
  long status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;                                          // of an exchange without consumer; cut at its limit

  // The first header of that (lower-case) name, "" if none.
  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
};

// Gets the body piece by piece once the headers are there; an error cuts the transfer.
using Consumer = std::function<Result<>(const Response&, Bytes)>;

// One request and what came of it. Must stay where it is while it is running.
class Exchange {
 public:
  // The body is collected in response().body; more than `limit` bytes is Code::corrupt.
  Exchange(Request request, std::size_t limit);
  // Bodies of the statuses 200 and 206 go to the consumer, others are collected up to `limit` and cut silently.
  Exchange(Request request, std::size_t limit, Consumer consumer);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] const Response& response() const { return response_; }

  // How the transport did.
  enum class End {
    running,
    complete,     // a whole answer, of whatever status
    unreachable,  // no connection: name, address, proxy
    dropped,      // the connection broke or stalled
    untrusted,    // the server's certificate
    no_tls,       // no TLS handshake; the server may speak plain HTTP
    refused,      // the consumer or the limit stopped it: error() is theirs
    broken        // anything else; another try will not help
  };
  [[nodiscard]] End end() const { return end_; }
  // For every End but running and complete.
  [[nodiscard]] const Error& error() const { return error_; }
  // Bytes of the body that have arrived.
  [[nodiscard]] std::uint64_t received() const { return received_; }

 private:
  friend class Transport;
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  void take_header(std::string_view line);
  bool take_body(Bytes data);
  void finish(int curl_code);

  Request request_;
  Response response_;
  std::size_t limit_;
  Consumer consumer_;
  End end_ = End::running;
  Error error_;
  std::optional<Error> refusal_;
  std::uint64_t received_ = 0;
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

struct TransportOptions {
  std::string user_agent, proxy, ca_file;
  bool verify = true;
  std::chrono::seconds connect_timeout{6};
  std::chrono::seconds stall_timeout{60};
  std::function<bool()> cancelled;
};

class Transport {
 public:
  using Clock = std::chrono::steady_clock;
  static Result<std::unique_ptr<Transport>> create(TransportOptions options);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Begins an exchange; it comes out of next_finished() or run() later. Destroying an Exchange stops it.
  Result<> start(Exchange& exchange);
  // Takes the oldest finished exchange that nobody has waited for; nullptr if none.
  Exchange* next_finished();
  // Works until an exchange is finished or the time has come. Fails only when cancelled (EINTR) or out of memory.
  Result<> wait(Clock::time_point until);
  // start() and wait for this one, while the others go on.
  Result<> run(Exchange& exchange);
  Result<> sleep(std::chrono::milliseconds time);

 private:
  explicit Transport(TransportOptions options);
  friend class Exchange;
  void forget(Exchange& exchange);
  Result<> step(Clock::time_point until);
  Result<> configure(Exchange& exchange);
  Result<> configure_trust(void* easy);

  TransportOptions options_;
  void* multi_ = nullptr;
  std::deque<Exchange*> finished_;
  std::optional<CaBundle> ca_;
};

}  // namespace udk::registry
