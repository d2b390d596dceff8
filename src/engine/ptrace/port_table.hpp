#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "container/run_spec.hpp"

// Ports of the guest that are other ports of the host: those published with -p, with -P all of them, and those that
// only root may bind (ip_unprivileged_port_start, ip(7)). The guest has the host's network; what it binds under its own
// number it also reaches under that number.
namespace udk::engine {

class PortTable {
 public:
  explicit PortTable(const container::RunSpec& spec) : published_(spec.ports), all_(spec.publish_all) {}

  // Changes the address of a bind(2) to the host's port, and says so once a port. False: it stays as it is.
  // `protocol` is unknown on hosts that cannot tell it (before Linux 5.6).
  bool to_host_bind(std::optional<container::Protocol> protocol, sockaddr_storage& address, socklen_t length);
  // Whether an address may have to be changed: an internet address with a port that is another one on the host, as
  // the destination of a connection or a datagram.
  [[nodiscard]] bool may_move(const sockaddr_storage& address, socklen_t length) const;
  // The address of a local service of the guest on the host. False: no change.
  bool to_host_peer(std::optional<container::Protocol> protocol, sockaddr_storage& address, socklen_t length) const;
  // And back: what the guest shall read of an address. False: no change.
  bool to_guest(std::optional<container::Protocol> protocol, sockaddr_storage& address, socklen_t length) const;
  // Whether any port is another one by now.
  [[nodiscard]] bool any() const { return !moved_.empty() || !published_.empty(); }

 private:
  struct Moved {
    std::optional<container::Protocol> protocol;
    std::uint16_t guest, host;
  };
  [[nodiscard]] const Moved* find(std::optional<container::Protocol> protocol, std::uint16_t guest) const;
  std::uint16_t choose(std::optional<container::Protocol> protocol, std::uint16_t guest, std::uint16_t wanted,
                       const sockaddr_storage& address, socklen_t length);

  std::vector<container::PortMap> published_;
  bool all_;
  std::vector<Moved> moved_;
};

// The port of an internet address, in host order; 0 for any other address.
std::uint16_t port_of(const sockaddr_storage& address, socklen_t length);
// What kind of socket an open descriptor of a guest is.
std::optional<container::Protocol> protocol_of(pid_t process, int fd);

}  // namespace udk::engine
