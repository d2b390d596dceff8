#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/fd.hpp"

namespace udk::test {

struct HttpRequest {
  std::string method, target;                  // the target with its query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  [[nodiscard]] std::string header(const std::string& name) const;
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Send only so many bytes of the body and break the connection.
  std::optional<std::size_t> cut_after;
  // Send only so many bytes of the body and nothing more, until the client goes away.
  std::optional<std::size_t> stall_after = std::nullopt;
  // No Content-Length: the end of the connection is the end of the body.
  bool without_length = false;
};

// An HTTP/1.1 server on a free loopback port: one thread per connection, answers made by a function. It keeps what was
// asked.
class LoopbackServer {
 public:
  using Handler = std::function<HttpReply(const HttpRequest&)>;
  explicit LoopbackServer(Handler handler);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  // "127.0.0.1:PORT"
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::string url() const { return "http://" + authority(); }
  [[nodiscard]] std::vector<HttpRequest> requests() const;
  // How many requests had a target that begins so.
  [[nodiscard]] std::size_t count(std::string_view target_prefix) const;

 private:
  void accept_all();
  void serve(int connection);

  Handler handler_;
  Fd listener_;
  unsigned port_ = 0;
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::vector<int> open_;
  std::vector<std::thread> workers_;
  bool stopping_ = false;
  std::thread acceptor_;
};

}  // namespace udk::test
