#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/ptrace/call_stop.hpp"

// Credentials that sockets tell: SO_PEERCRED and SCM_CREDENTIALS. The kernel knows the user who runs udocker; guests
// believe in others.
namespace udk::engine {
namespace {

// What a guest shall see in place of what the kernel says.
void show(Run& run, ucred& peer) {
  if (peer.uid != run.host_uid || peer.gid != run.host_gid) return;
  const Task* task = run.tasks.find_process(peer.pid);
  if (task != nullptr) {
    peer.uid = task->credentials->uid.effective;
    peer.gid = task->credentials->gid.effective;
  } else {  // a process that has ended, or one of the host
    peer.uid = run.spec.identity.uid;
    peer.gid = run.spec.identity.gid;
  }
}

bool may_claim(const Credentials& c, const Ids& ids, std::uint32_t id, Capability capability) {
  return id == ids.real || id == ids.effective || id == ids.saved || has_capability(c, capability);
}

// Calls `each` with every SCM_CREDENTIALS of a control buffer, until it says something else than 0.
template <class F>
int for_each_credential(std::span<std::byte> control, F each) {
  std::size_t at = 0;
  while (at + sizeof(cmsghdr) <= control.size()) {
    cmsghdr header{};
    std::memcpy(&header, control.data() + at, sizeof header);
    if (header.cmsg_len < sizeof header || header.cmsg_len > control.size() - at) break;
    if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_CREDENTIALS &&
        header.cmsg_len >= CMSG_LEN(sizeof(ucred))) {
      ucred value{};
      std::byte* data = control.data() + at + CMSG_LEN(0);
      std::memcpy(&value, data, sizeof value);
      if (const int e = each(value); e != 0) return e;
      std::memcpy(data, &value, sizeof value);
    }
    at += CMSG_ALIGN(header.cmsg_len);
  }
  return 0;
}

}  // namespace

int send_credentials(CallStop& stop, std::span<std::byte> control) {
  const Credentials& c = *stop.task.credentials;
  return for_each_credential(control, [&](ucred& value) {
    if (!may_claim(c, c.uid, value.uid, k_cap_setuid) || !may_claim(c, c.gid, value.gid, k_cap_setgid)) return -EPERM;
    value.uid = stop.run.host_uid;
    value.gid = stop.run.host_gid;
    return 0;
  });
}

void receive_credentials(Run& run, std::span<std::byte> control) {
  (void)for_each_credential(control, [&](ucred& value) {
    show(run, value);
    return 0;
  });
}

Next on_socket_option(CallStop& stop) {
  const int option = stop.int_arg(2);
  if (option == SO_PASSCRED) stop.run.passes_credentials = true;
  if (stop.call.number != SYS_getsockopt || option == SO_PASSCRED) return Next::as_is;
  if (option != SO_PEERCRED) return answer(stop, -ENOPROTOOPT);  // SO_PEERGROUPS, as before Linux 4.13
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = AtExit::peer_credentials;
  return Next::watch;
}

void on_socket_option_exit(Run& run, Task& task, const Registers& regs) {
  ucred peer{};
  socklen_t length = 0;
  if (static_cast<long>(regs.rax) != 0 || read_object(task.tid, regs.r8, length) != 0 || length < sizeof peer ||
      read_object(task.tid, regs.r10, peer) != 0)
    return;
  show(run, peer);
  (void)write_object(task.tid, regs.r10, peer);
}

}  // namespace udk::engine
