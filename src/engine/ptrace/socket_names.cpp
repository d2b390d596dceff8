#include "engine/ptrace/socket_names.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace udk::engine {
namespace {

constexpr std::size_t k_path_size = sizeof(sockaddr_un::sun_path);
// Beyond this many remembered names the memory is started anew; unknown names are then translated from the host path.
constexpr std::size_t k_names_max = 65536;

std::string by_number(int fd) { return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd); }

}  // namespace

std::string SocketNames::existing(const std::string& host, std::vector<Fd>& held) {
  if (host.size() < k_path_size) return host;
  Fd target(::open(host.c_str(), O_PATH | O_CLOEXEC));
  if (!target) return {};
  held.push_back(std::move(target));
  return by_number(held.back().get());
}

// The directory's own descriptor, one for each directory, whatever its name is or once was.
const Fd* SocketNames::directory(const std::string& path) {
  Fd opened(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat st {};
  if (!opened || ::fstat(opened.get(), &st) != 0) return nullptr;
  return &directories_.try_emplace({st.st_dev, st.st_ino}, std::move(opened)).first->second;
}

std::string SocketNames::future(const std::string& host, bool& moved) {
  moved = false;
  if (host.size() < k_path_size) return host;
  const std::size_t slash = host.rfind('/');
  const std::string parent = host.substr(0, slash);
  const Fd* fd = directory(parent);
  if (fd == nullptr) return {};
  const std::string prefix = by_number(fd->get()) + "/";
  const std::string name = host.substr(slash + 1);
  moved = prefix.size() + name.size() >= k_path_size;
  return prefix + (moved ? ".udocker-socket-" + std::to_string(moved_count_++) : name);
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
