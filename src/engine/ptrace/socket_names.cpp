#include "engine/ptrace/socket_names.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace udk::engine {
namespace {

constexpr std::size_t k_path_size = sizeof(sockaddr_un::sun_path);
// Beyond this many remembered names the memory is started anew; unknown names are then translated from the host path.
constexpr std::size_t k_names_max = 65536;

std::string by_number(int fd) { return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd); }

}  // namespace

std::string SocketNames::existing(const std::string& host, Fd& open) {
  if (host.size() < k_path_size) return host;
  open.reset(::open(host.c_str(), O_PATH | O_CLOEXEC));
  return open ? by_number(open.get()) : std::string();
}

std::string SocketNames::future(const std::string& host, Fd& open) {
  if (host.size() < k_path_size) return host;
  open.reset(::open(host.substr(0, host.rfind('/')).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!open) return {};
  return by_number(open.get()) + "/.udocker-socket-" + std::to_string(moved_count_++);
}

void SocketNames::remember(const std::string& address, std::string_view guest) {
  if (guest_of_.size() >= k_names_max) guest_of_.clear();
  guest_of_[address] = guest;
}

const std::string* SocketNames::find(const std::string& address) const {
  const auto it = guest_of_.find(address);
  return it == guest_of_.end() ? nullptr : &it->second;
}

std::string_view socket_path(const sockaddr_storage& address, std::size_t length) {
  constexpr std::size_t start = offsetof(sockaddr_un, sun_path);
  if (address.ss_family != AF_UNIX || length <= start) return {};
  const char* path = reinterpret_cast<const char*>(&address) + start;
  const std::size_t most = std::min({length, sizeof(sockaddr_un), sizeof address}) - start;
  return {path, ::strnlen(path, most)};
}

}  // namespace udk::engine
