#include "engine/ptrace/port_table.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/log.hpp"

namespace udk::engine {
namespace {

using container::Protocol;

constexpr unsigned k_last_port = 65535;
constexpr unsigned k_shift = 1024;  // ports that only root may bind go this much higher

const char* name_of(std::optional<Protocol> protocol) {
  if (!protocol) return "";
  return *protocol == Protocol::tcp ? "/tcp" : *protocol == Protocol::udp ? "/udp" : "/sctp";
}

bool is_internet(const sockaddr_storage& address, socklen_t length) {
  return (address.ss_family == AF_INET && length >= sizeof(sockaddr_in)) ||
         (address.ss_family == AF_INET6 && length >= offsetof(sockaddr_in6, sin6_scope_id));
}

void set_port(sockaddr_storage& address, std::uint16_t port) {
  // sin_port and sin6_port lie at the same place.
  const std::uint16_t raw = htons(port);
  std::memcpy(reinterpret_cast<char*>(&address) + offsetof(sockaddr_in, sin_port), &raw, sizeof raw);
}

// The IPv4 address, also one in IPv6's clothes; in host order.
std::optional<std::uint32_t> ipv4_of(const sockaddr_storage& address) {
  std::uint32_t raw = 0;
  if (address.ss_family == AF_INET) {
    std::memcpy(&raw, reinterpret_cast<const char*>(&address) + offsetof(sockaddr_in, sin_addr), sizeof raw);
    return ntohl(raw);
  }
  in6_addr six{};
  std::memcpy(&six, reinterpret_cast<const char*>(&address) + offsetof(sockaddr_in6, sin6_addr), sizeof six);
  if (!IN6_IS_ADDR_V4MAPPED(&six)) return std::nullopt;
  std::memcpy(&raw, six.s6_addr + 12, sizeof raw);
  return ntohl(raw);
}

bool is_wildcard(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) return ipv4_of(address) == 0U;
  in6_addr six{};
  std::memcpy(&six, reinterpret_cast<const char*>(&address) + offsetof(sockaddr_in6, sin6_addr), sizeof six);
  return IN6_IS_ADDR_UNSPECIFIED(&six);
}

bool same_host(const sockaddr_storage& a, const sockaddr* b) {
  if (b == nullptr || a.ss_family != b->sa_family) return false;
  const std::size_t at = a.ss_family == AF_INET ? offsetof(sockaddr_in, sin_addr) : offsetof(sockaddr_in6, sin6_addr);
  const std::size_t size = a.ss_family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
  return std::memcmp(reinterpret_cast<const char*>(&a) + at, reinterpret_cast<const char*>(b) + at, size) == 0;
}

// Whether an address is one of this machine.
bool is_local(const sockaddr_storage& address) {
  if (is_wildcard(address)) return true;
  const auto four = ipv4_of(address);
  if (four && *four >> 24 == 127) return true;
  in6_addr six{};
  if (address.ss_family == AF_INET6) {
    std::memcpy(&six, reinterpret_cast<const char*>(&address) + offsetof(sockaddr_in6, sin6_addr), sizeof six);
    if (IN6_IS_ADDR_LOOPBACK(&six)) return true;
  }
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return false;
  bool found = false;
  for (const ifaddrs* each = list; each != nullptr && !found; each = each->ifa_next)
    found = same_host(address, each->ifa_addr);
  ::freeifaddrs(list);
  return found;
}

// The first port that an ordinary user may bind.
unsigned first_port() {
  static const unsigned first = [] {
    const auto text = read_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", 32);
    return text ? static_cast<unsigned>(std::strtoul(text->c_str(), nullptr, 10)) : 1024U;
  }();
  return ::geteuid() == 0 ? 0 : first;
}

// Whether the address can be bound; port 0 gets a number.
bool try_bind(std::optional<Protocol> protocol, sockaddr_storage& address, socklen_t length) {
  const int type = protocol == Protocol::udp ? SOCK_DGRAM : SOCK_STREAM;
  const Fd fd(::socket(address.ss_family, type | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return false;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) return false;
  socklen_t size = sizeof address;
  return ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
}

// A mapping with an address shows the port there instead of everywhere.
void narrow(const std::string& text, sockaddr_storage& address) {
  if (text.empty() || !is_wildcard(address)) return;
  if (address.ss_family == AF_INET) {
    (void)::inet_pton(AF_INET, text.c_str(), reinterpret_cast<char*>(&address) + offsetof(sockaddr_in, sin_addr));
    return;
  }
  char* six = reinterpret_cast<char*>(&address) + offsetof(sockaddr_in6, sin6_addr);
  if (::inet_pton(AF_INET6, text.c_str(), six) != 1) (void)::inet_pton(AF_INET6, ("::ffff:" + text).c_str(), six);
}

bool matches(std::optional<Protocol> wanted, std::optional<Protocol> protocol) {
  return !wanted || !protocol || *wanted == *protocol;
}

}  // namespace

std::uint16_t port_of(const sockaddr_storage& address, socklen_t length) {
  if (!is_internet(address, length)) return 0;
  std::uint16_t raw = 0;
  std::memcpy(&raw, reinterpret_cast<const char*>(&address) + offsetof(sockaddr_in, sin_port), sizeof raw);
  return ntohs(raw);
}

std::optional<Protocol> protocol_of(pid_t process, int fd) {
  const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!pidfd) return std::nullopt;
  const Fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd.get(), fd, 0)));
  int value = 0;
  socklen_t size = sizeof value;
  if (!copy || ::getsockopt(copy.get(), SOL_SOCKET, SO_PROTOCOL, &value, &size) != 0) return std::nullopt;
  if (value == IPPROTO_SCTP) return Protocol::sctp;
  return value == IPPROTO_UDP ? Protocol::udp : Protocol::tcp;
}

const PortTable::Moved* PortTable::find(std::optional<Protocol> protocol, std::uint16_t guest) const {
  for (const Moved& each : moved_)
    if (each.guest == guest && matches(each.protocol, protocol)) return &each;
  return nullptr;
}

// The host's port for a guest's port that was asked for as `wanted`: the same one whenever it is asked for again.
std::uint16_t PortTable::choose(std::optional<Protocol> protocol, std::uint16_t guest, std::uint16_t wanted,
                                const sockaddr_storage& address, socklen_t length) {
  if (const Moved* known = find(protocol, guest)) return known->host;
  std::uint16_t host = wanted;
  sockaddr_storage trial = address;
  if (wanted == 0) {
    set_port(trial, 0);
    if (try_bind(protocol, trial, length)) host = port_of(trial, length);
  } else if (wanted < first_port()) {
    for (unsigned port = std::max(wanted + k_shift, first_port()); port <= k_last_port; ++port) {
      set_port(trial, static_cast<std::uint16_t>(port));
      if (!try_bind(protocol, trial, length)) continue;
      host = static_cast<std::uint16_t>(port);
      break;
    }
  }
  if (host == 0) return guest;
  moved_.push_back({protocol, guest, host});
  if (host != wanted) log::info("port {}{} of the container is port {} of this host", guest, name_of(protocol), host);
  return host;
}

bool PortTable::to_host_bind(std::optional<Protocol> protocol, sockaddr_storage& address, socklen_t length) {
  const std::uint16_t guest = port_of(address, length);
  if (guest == 0) return false;
  std::uint16_t wanted = all_ ? 0 : guest;
  for (const container::PortMap& map : published_) {
    if (map.container != guest || !matches(map.protocol, protocol)) continue;
    wanted = map.host;
    narrow(map.address, address);
    break;
  }
  if (wanted == guest && wanted >= first_port()) return false;
  set_port(address, choose(protocol, guest, wanted, address, length));
  return true;
}

bool PortTable::may_move(const sockaddr_storage& address, socklen_t length) const {
  const std::uint16_t guest = port_of(address, length);
  if (guest == 0) return false;
  const bool published = std::any_of(published_.begin(), published_.end(),
                                     [&](const container::PortMap& map) { return map.container == guest; });
  return published || find(std::nullopt, guest) != nullptr;
}

bool PortTable::to_host_peer(std::optional<Protocol> protocol, sockaddr_storage& address, socklen_t length) const {
  const std::uint16_t guest = port_of(address, length);
  std::uint16_t host = 0;
  if (const Moved* known = find(protocol, guest)) host = known->host;
  for (const container::PortMap& map : published_)
    if (host == 0 && map.container == guest && matches(map.protocol, protocol)) host = map.host;
  if (host == 0 || host == guest || !is_local(address)) return false;
  set_port(address, host);
  return true;
}

bool PortTable::to_guest(std::optional<Protocol> protocol, sockaddr_storage& address, socklen_t length) const {
  const std::uint16_t host = port_of(address, length);
  for (const Moved& each : moved_) {
    if (each.host != host || !matches(each.protocol, protocol) || each.host == each.guest) continue;
    if (!is_local(address)) return false;
    set_port(address, each.guest);
    return true;
  }
  return false;
}

}  // namespace udk::engine
