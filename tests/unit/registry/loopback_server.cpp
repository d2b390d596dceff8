#include "unit/registry/loopback_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"

namespace udk::test {
namespace {

bool send_all(int fd, std::string_view data) {
  while (!data.empty()) {
    auto sent = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Reads until the buffer holds `size` bytes; false at the end of the connection.
bool fill(int fd, std::string& buffer, std::size_t size) {
  char chunk[4096];
  while (buffer.size() < size) {
    auto got = ::recv(fd, chunk, sizeof chunk, 0);
    if (got <= 0) return false;
    buffer.append(chunk, static_cast<std::size_t>(got));
  }
  return true;
}

std::optional<HttpRequest> read_request(int fd, std::string& buffer) {
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!fill(fd, buffer, buffer.size() + 1)) return std::nullopt;
    // The beginning of a TLS handshake: answered as web servers do.
    if (buffer[0] == '\x16') {
      send_all(fd, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
      return std::nullopt;
    }
  }
  HttpRequest out;
  bool first = true;
  for (auto line : split(std::string_view(buffer).substr(0, end), '\n')) {
    line = trim(line);
    if (std::exchange(first, false)) {
      auto words = split_blank(line);
      if (words.size() != 3) return std::nullopt;
      out.method = words[0];
      out.target = words[1];
    } else if (auto colon = line.find(':'); colon != std::string_view::npos) {
      out.headers[to_lower(line.substr(0, colon))] = trim(line.substr(colon + 1));
    }
  }
  buffer.erase(0, end + 4);
  auto length = parse_uint(out.header("content-length")).value_or(0);
  if (!fill(fd, buffer, length)) return std::nullopt;
  out.body = buffer.substr(0, length);
  buffer.erase(0, length);
  return out;
}

void wait_for_end(int fd) {
  char unused = 0;
  while (::recv(fd, &unused, 1, 0) > 0) {
  }
}

// False: the connection is over.
bool send_reply(int fd, const HttpReply& reply) {
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Status\r\n";
  for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
  bool has_length = std::any_of(reply.headers.begin(), reply.headers.end(),
                                [](const auto& header) { return to_lower(header.first) == "content-length"; });
  if (!reply.without_length && !has_length) head += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
  auto length = std::min(reply.cut_after.value_or(reply.body.size()), reply.stall_after.value_or(reply.body.size()));
  auto body = std::string_view(reply.body).substr(0, length);
  // One piece: two would wait for each other (Nagle's algorithm and delayed acknowledgements).
  if (!send_all(fd, (head + "\r\n").append(body))) return false;
  if (reply.stall_after) wait_for_end(fd);
  return !reply.stall_after && !reply.cut_after && !reply.without_length;
}

}  // namespace

std::string HttpRequest::header(const std::string& name) const {
  auto it = headers.find(name);
  return it == headers.end() ? "" : it->second;
}

LoopbackServer::LoopbackServer(Handler handler)
    : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  struct sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* any = reinterpret_cast<struct sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(listener_.get(), any, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), any, &size) != 0)
    std::abort();
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

LoopbackServer::~LoopbackServer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  acceptor_.join();
  for (auto& worker : workers_) worker.join();
}

std::string LoopbackServer::authority() const { return "127.0.0.1:" + std::to_string(port_); }

std::vector<HttpRequest> LoopbackServer::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t LoopbackServer::count(std::string_view target_prefix) const {
  auto all = requests();
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const HttpRequest& request) {
    return std::string_view(request.target).substr(0, target_prefix.size()) == target_prefix;
  }));
}

void LoopbackServer::accept_all() {
  for (;;) {
    int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    std::lock_guard lock(mutex_);
    if (fd < 0) return;
    if (stopping_) {
      ::close(fd);
      return;
    }
    open_.push_back(fd);
    workers_.emplace_back([this, fd] { serve(fd); });
  }
}

void LoopbackServer::serve(int connection) {
  std::string buffer;
  for (;;) {
    auto request = read_request(connection, buffer);
    if (!request) break;
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(*request);
    }
    if (!send_reply(connection, handler_(*request))) break;
  }
  std::lock_guard lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), connection));
  ::close(connection);
}

}  // namespace udk::test
