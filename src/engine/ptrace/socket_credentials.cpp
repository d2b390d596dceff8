#include <sys/socket.h>

#include <algorithm>
#include <array>
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

// Calls `each` with every SCM_CREDENTIALS of a control buffer, until it says something else than 0. Its headers have a
// length of the guest's word size, a level and a type, and lengths are rounded up to words.
template <class F>
int for_each_credential(Abi abi, std::span<std::byte> control, F each) {
  const std::size_t word = xlate::word_size(abi);
  std::array<int, 2> kind{};
  const std::size_t header = word + sizeof kind;
  std::size_t at = 0;
  while (at <= control.size() && control.size() - at >= header) {
    Word length = 0;
    std::memcpy(&length, control.data() + at, word);
    std::memcpy(&kind, control.data() + at + word, sizeof kind);
    if (length < header || length > control.size() - at) break;
    if (kind[0] == SOL_SOCKET && kind[1] == SCM_CREDENTIALS && length >= header + sizeof(ucred)) {
      ucred value{};
      std::byte* data = control.data() + at + header;
      std::memcpy(&value, data, sizeof value);
      if (const int e = each(value); e != 0) return e;
      std::memcpy(data, &value, sizeof value);
    }
    at += (length + word - 1) & ~(word - 1);
  }
  return 0;
}

}  // namespace

int send_credentials(CallStop& stop, std::span<std::byte> control) {
  const Credentials& c = *stop.task.credentials;
  return for_each_credential(stop.abi, control, [&](ucred& value) {
    if (!may_claim(c, c.uid, value.uid, k_cap_setuid) || !may_claim(c, c.gid, value.gid, k_cap_setgid)) return -EPERM;
    value.uid = stop.run.host_uid;
    value.gid = stop.run.host_gid;
    return 0;
  });
}

void receive_credentials(Run& run, Abi abi, std::span<std::byte> control) {
  (void)for_each_credential(abi, control, [&](ucred& value) {
    show(run, value);
    return 0;
  });
}

Next on_socket_option(CallStop& stop) {
  const int option = stop.int_arg(2);
  if (option == SO_PASSCRED) stop.run.passes_credentials = true;
  if (stop.call.op != xlate::Op::getsockopt || option == SO_PASSCRED) return Next::as_is;
  if (option != SO_PEERCRED) return answer(stop, -ENOPROTOOPT);  // SO_PEERGROUPS, as before Linux 4.13
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = AtExit::peer_credentials;
  stop.task.extra = {0, stop.arg(3), stop.arg(4)};
  return Next::watch;
}

void on_socket_option_exit(Run& run, Task& task, long result) {
  const Word at = task.extra[1];
  const Word length_at = task.extra[2];
  ucred peer{};
  socklen_t length = 0;
  if (result != 0 || read_object(task.tid, length_at, length) != 0 || length < sizeof peer ||
      read_object(task.tid, at, peer) != 0)
    return;
  show(run, peer);
  (void)write_object(task.tid, at, peer);
}

}  // namespace udk::engine
