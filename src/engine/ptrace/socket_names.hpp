#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

// AF_UNIX addresses hold at most 108 bytes of path, fewer than host paths need. Longer ones go through descriptors of
// the tracer: /proc/PID/fd/N/NAME. This remembers which guest name each address that was bound stands for.
namespace udk::engine {

class SocketNames {
 public:
  // An address for a socket that exists at `host`; empty if it cannot be opened (errno says why). It holds as long as
  // `held`, which may get a descriptor.
  static std::string existing(const std::string& host, std::vector<Fd>& held);
  // An address at which a socket can be bound that shall appear at `host`. `moved`: it must be renamed to `host` once
  // it is bound, since even the last component is too long.
  std::string future(const std::string& host, bool& moved);

  // After bind(2): `address` is what the kernel will tell, `guest` what the guest wrote.
  void remember(const std::string& address, std::string_view guest);
  // The guest's text for an address of the kernel; null if it is not known.
  [[nodiscard]] const std::string* find(const std::string& address) const;

 private:
  const Fd* directory(const std::string& path);

  std::unordered_map<std::string, std::string> guest_of_;
  // By device and inode. Kept open: addresses refer to them as long as sockets live.
  std::map<std::pair<dev_t, ino_t>, Fd> directories_;
  unsigned moved_count_ = 0;
};

// The path of an AF_UNIX address of `length` bytes; empty if it has none (other family, unnamed, abstract).
std::string_view socket_path(const sockaddr_storage& address, std::size_t length);

}  // namespace udk::engine
