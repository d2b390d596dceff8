#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include "engine/ptrace/call_stop.hpp"
#include "engine/ptrace/ownership.hpp"

// Socket addresses: the paths of AF_UNIX are translated on their way into the kernel and back.
namespace udk::engine {
namespace {

using xlate::Final;
using xlate::Op;

constexpr std::size_t k_path_start = offsetof(sockaddr_un, sun_path);
// Messages of one sendmmsg(2) that are translated at once; the guest sees fewer sent and repeats the rest.
constexpr std::size_t k_messages_max = 40;
// recvmmsg(2) and sendmmsg(2) take no more.
constexpr std::size_t k_vector_max = 1024;

struct Address {
  sockaddr_storage bytes{};
  std::size_t length = 0;
};

// Reads an address argument. Anything that the kernel will refuse anyway counts as not translatable.
bool read_address(pid_t tid, Word at, std::size_t length, Address& out) {
  out.length = std::min(length, sizeof out.bytes);
  return length >= k_path_start && length <= sizeof out.bytes && read_memory(tid, at, &out.bytes, length) == 0;
}

void set_path(Address& address, const std::string& path) {
  std::memset(&address.bytes, 0, sizeof address.bytes);
  address.bytes.ss_family = AF_UNIX;
  std::memcpy(reinterpret_cast<char*>(&address.bytes) + k_path_start, path.data(), path.size());
  // A longer length is allowed: then the caller's own can stay.
  address.length = std::max(address.length, k_path_start + std::min(path.size() + 1, sizeof(sockaddr_un::sun_path)));
  address.length = std::min(address.length, sizeof(sockaddr_un));
}

// The address of an existing socket: 1 if it was translated, 0 if it has no path, or -errno.
int translate_target(CallStop& stop, Address& address) {
  Run& run = stop.run;
  const std::string path(socket_path(address.bytes, address.length));
  if (path.empty()) return 0;
  if (const int e = run.lookup.path(stop.task, AT_FDCWD, path, Final::follow, 0, run.at); e != 0) return e;
  const std::string target = run.sockets.existing(std::string(run.at.host.view()));
  if (target.empty()) return -errno;
  set_path(address, target);
  return 1;
}

// The same for an internet address whose port is another one on the host.
int translate_port(CallStop& stop, Address& address) {
  const auto length = static_cast<socklen_t>(address.length);
  if (!stop.run.ports.may_move(address.bytes, length)) return 0;
  return stop.run.ports.to_host_peer(protocol_of(stop.task.tgid, stop.int_arg(0)), address.bytes, length) ? 1 : 0;
}

int translate(CallStop& stop, Address& address) {
  return address.bytes.ss_family == AF_UNIX ? translate_target(stop, address) : translate_port(stop, address);
}

// Makes the call with another address; argument `index` is its pointer, the next one its length.
Next run_with_address(CallStop& stop, int index, const Address& address) {
  const Word place = put_scratch(stop, &address.bytes, sizeof(sockaddr_un));
  if (place == 0) return answer(stop, -EFAULT);
  if (address.length == stop.arg(index + 1)) return run_with_pointer(stop, index, place);
  stop.task.at_entry = stop.regs;
  argument(stop.regs, index) = place;
  argument(stop.regs, index + 1) = address.length;
  return Next::watch;
}

Next on_target(CallStop& stop, int index) {
  Address address;
  if (!read_address(stop.task.tid, stop.arg(index), stop.arg(index + 1), address)) return Next::as_is;
  const int done = translate(stop, address);
  if (done <= 0) return done == 0 ? Next::as_is : answer(stop, done);
  return run_with_address(stop, index, address);
}

Next bind_port(CallStop& stop, Address& address) {
  const auto length = static_cast<socklen_t>(address.length);
  const bool moved = stop.run.ports.to_host_bind(protocol_of(stop.task.tgid, stop.int_arg(0)), address.bytes, length);
  return moved ? run_with_address(stop, 1, address) : Next::as_is;
}

Next on_bind(CallStop& stop) {
  Run& run = stop.run;
  Address address;
  if (!read_address(stop.task.tid, stop.arg(1), stop.arg(2), address)) return Next::as_is;
  if (port_of(address.bytes, static_cast<socklen_t>(address.length)) != 0) return bind_port(stop, address);
  const std::string path(socket_path(address.bytes, address.length));
  if (path.empty()) return Next::as_is;
  if (const int e = run.lookup.path(stop.task, AT_FDCWD, path, Final::parent, 0, run.at); e != 0)
    return answer(stop, e);
  const std::string host(run.at.host.view());
  struct stat st {};
  if (::lstat(host.c_str(), &st) == 0 || (run.at.mount_point && run.at.named())) return answer(stop, -EADDRINUSE);
  if (run.lookup.table()[run.at.mount].read_only) return answer(stop, -EROFS);
  note_creation(stop, run.at, S_IFSOCK | 0777);
  bool moved = false;
  const std::string target = run.sockets.future(host, moved);
  if (target.empty()) return answer(stop, -errno);
  run.sockets.remember(target, path);
  set_path(address, target);
  if (!moved) return run_with_address(stop, 1, address);
  stop.task.rename_from = target;
  stop.task.rename_to = host;
  const Word place = put_scratch(stop, &address.bytes, sizeof(sockaddr_un));
  if (place == 0) return answer(stop, -EFAULT);
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = AtExit::long_bind;
  stop.regs.rsi = place;
  stop.regs.rdx = address.length;
  return Next::watch;
}

void* as_pointer(Word address) { return reinterpret_cast<void*>(address); }  // NOLINT(performance-no-int-to-ptr)

// The parts of a message follow each other in the scratch slot: header, name, control data.
constexpr std::size_t k_name_at = sizeof(msghdr);
constexpr std::size_t k_control_at = 512;
constexpr std::size_t k_control_max = 4096;

// Puts the translated name of a message into the scratch slot: 1 if it was changed, 0 if not, or -errno.
int replace_name(CallStop& stop, msghdr& message) {
  Address address;
  if (message.msg_name == nullptr ||
      !read_address(stop.task.tid, reinterpret_cast<Word>(message.msg_name), message.msg_namelen, address))
    return 0;
  const int done = translate(stop, address);
  if (done <= 0) return done;
  const Word place = put_scratch(stop, &address.bytes, sizeof(sockaddr_un), k_name_at);
  message.msg_name = as_pointer(place);
  message.msg_namelen = static_cast<socklen_t>(address.length);
  return place == 0 ? -EFAULT : 1;
}

// The same for credentials that the kernel would not let the user send.
int replace_control(CallStop& stop, msghdr& message) {
  if (!stop.run.emulate_ids || message.msg_control == nullptr || message.msg_controllen < CMSG_LEN(sizeof(ucred)) ||
      message.msg_controllen > k_control_max)
    return 0;
  std::array<std::byte, k_control_max> control{};
  const std::span<std::byte> used(control.data(), message.msg_controllen);
  if (read_memory(stop.task.tid, reinterpret_cast<Word>(message.msg_control), used.data(), used.size()) != 0) return 0;
  const std::vector<std::byte> own(used.begin(), used.end());
  if (const int e = send_credentials(stop, used); e != 0) return e;
  if (std::equal(own.begin(), own.end(), used.begin())) return 0;
  const Word place = put_scratch(stop, used.data(), used.size(), k_control_at);
  message.msg_control = as_pointer(place);
  return place == 0 ? -EFAULT : 1;
}

Next on_sendmsg(CallStop& stop) {
  msghdr message{};
  if (read_object(stop.task.tid, stop.arg(1), message) != 0) return Next::as_is;
  const int name = replace_name(stop, message);
  if (name < 0) return answer(stop, name);
  const int control = replace_control(stop, message);
  if (control < 0) return answer(stop, control);
  if (name == 0 && control == 0) return Next::as_is;
  const Word place = put_scratch(stop, &message, sizeof message);
  return place == 0 ? answer(stop, -EFAULT) : run_with_pointer(stop, 1, place);
}

Next on_sendmmsg(CallStop& stop) {
  std::array<mmsghdr, k_messages_max> messages{};
  std::array<sockaddr_un, k_messages_max> names{};
  const std::size_t count = std::min<std::size_t>(stop.arg(2), k_messages_max);
  if (count == 0 || read_memory(stop.task.tid, stop.arg(1), messages.data(), count * sizeof messages[0]) != 0)
    return Next::as_is;
  constexpr std::size_t names_at = k_messages_max * sizeof(mmsghdr);
  static_assert(names_at + k_messages_max * sizeof(sockaddr_un) <= k_slot_size);
  const Word slot = scratch_of(stop.task);
  if (slot == 0) return Next::as_is;
  bool any = false;
  std::size_t usable = count;
  for (std::size_t i = 0; i < usable; ++i) {
    msghdr& message = messages[i].msg_hdr;
    Address address;
    if (message.msg_name == nullptr ||
        !read_address(stop.task.tid, reinterpret_cast<Word>(message.msg_name), message.msg_namelen, address))
      continue;
    const int done = translate(stop, address);
    if (done < 0 && i == 0) return answer(stop, done);
    if (done < 0) usable = i;  // those before it are sent; the guest gets the error when it comes back with this one
    if (done <= 0) continue;
    any = true;
    std::memcpy(&names[i], &address.bytes, sizeof names[i]);
    message.msg_name = reinterpret_cast<void*>(slot + names_at + i * sizeof names[i]);  // NOLINT
    message.msg_namelen = static_cast<socklen_t>(address.length);
  }
  if (!any && usable == count) return Next::as_is;
  if (write_memory(stop.task.tid, slot, messages.data(), usable * sizeof messages[0]) != 0 ||
      write_memory(stop.task.tid, slot + names_at, names.data(), usable * sizeof names[0]) != 0)
    return answer(stop, -EFAULT);
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = AtExit::messages_sent;
  stop.regs.rsi = slot;
  stop.regs.rdx = usable;
  return Next::watch;
}

// Calls that return an address: look at it when they come back. `extra` keeps the room that the guest gave.
Next watch_address(CallStop& stop, AtExit what, Word room) {
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = what;
  stop.task.extra[0] = room;
  return Next::watch;
}

Next on_name_result(CallStop& stop, int index) {
  socklen_t room = 0;
  if (stop.arg(index) == 0 || read_object(stop.task.tid, stop.arg(index + 1), room) != 0) return Next::as_is;
  stop.task.extra[1] = static_cast<Word>(index);
  return watch_address(stop, AtExit::socket_name, room);
}

Next on_recvmsg(CallStop& stop) {
  msghdr message{};
  if (read_object(stop.task.tid, stop.arg(1), message) != 0) return Next::as_is;
  const bool named = message.msg_name != nullptr && message.msg_namelen != 0;
  const bool credentials = stop.run.passes_credentials && message.msg_control != nullptr;
  if (!named && !credentials) return Next::as_is;
  return watch_address(stop, AtExit::message_name, named ? message.msg_namelen : 0);
}

Next on_recvmmsg(CallStop& stop) {
  mmsghdr first{};
  if (stop.arg(2) == 0 || read_object(stop.task.tid, stop.arg(1), first) != 0) return Next::as_is;
  const bool named = first.msg_hdr.msg_name != nullptr && first.msg_hdr.msg_namelen != 0;
  if (!named && (!stop.run.passes_credentials || first.msg_hdr.msg_control == nullptr)) return Next::as_is;
  return watch_address(stop, AtExit::messages_name, first.msg_hdr.msg_namelen);
}

// Turns an address that the kernel left in the guest's memory into the guest's name, within `room` bytes. The new full
// length, or 0 if nothing is to be changed.
socklen_t give_guest_name(Run& run, Task& task, Word at, std::size_t length, std::size_t room) {
  Address address;
  if (length > room || !read_address(task.tid, at, length, address)) return 0;
  if (run.ports.any() && run.ports.to_guest(std::nullopt, address.bytes, static_cast<socklen_t>(length)))
    return write_memory(task.tid, at, &address.bytes, length) == 0 ? static_cast<socklen_t>(length) : 0;
  const std::string host(socket_path(address.bytes, length));
  if (host.empty() || host.front() != '/') return 0;
  std::string guest;
  if (const std::string* known = run.sockets.find(host)) {
    guest = *known;
  } else {
    xlate::GuestPath path;
    if (!run.lookup.guest_name(task, host, path)) return 0;
    guest = path.empty() ? "/" : std::string(path.view());
  }
  if (guest.size() > sizeof(sockaddr_un::sun_path)) guest.resize(sizeof(sockaddr_un::sun_path));
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  std::memcpy(out.sun_path, guest.data(), guest.size());
  const std::size_t full = k_path_start + std::min(guest.size() + 1, sizeof out.sun_path);
  if (write_memory(task.tid, at, &out, std::min(full, room)) != 0) return 0;
  return static_cast<socklen_t>(full);
}

void fix_control(Run& run, Task& task, const msghdr& message) {
  if (!run.passes_credentials || message.msg_control == nullptr || message.msg_controllen > k_control_max) return;
  std::array<std::byte, k_control_max> control{};
  const std::span<std::byte> used(control.data(), message.msg_controllen);
  const Word at = reinterpret_cast<Word>(message.msg_control);
  if (read_memory(task.tid, at, used.data(), used.size()) != 0) return;
  receive_credentials(run, used);
  (void)write_memory(task.tid, at, used.data(), used.size());
}

void fix_message(Run& run, Task& task, Word at, std::size_t room) {
  msghdr message{};
  if (read_object(task.tid, at, message) != 0) return;
  fix_control(run, task, message);
  if (message.msg_name == nullptr) return;
  const socklen_t length =
      give_guest_name(run, task, reinterpret_cast<Word>(message.msg_name), message.msg_namelen, room);
  if (length != 0) (void)write_object(task.tid, at + offsetof(msghdr, msg_namelen), length);
}

void fix_name_result(Run& run, Task& task, Registers& regs) {
  const int index = static_cast<int>(task.extra[1]);
  const Word length_at = argument(regs, index + 1);
  socklen_t length = 0;
  if (read_object(task.tid, length_at, length) != 0) return;
  length = give_guest_name(run, task, argument(regs, index), length, task.extra[0]);
  if (length != 0) (void)write_object(task.tid, length_at, length);
}

}  // namespace

Next on_socket_call(CallStop& stop) {
  switch (stop.call.op) {
    case Op::bind:
      return on_bind(stop);
    case Op::connect:
      return on_target(stop, 1);
    case Op::sendto:
      return on_target(stop, 4);
    case Op::sendmsg:
      return on_sendmsg(stop);
    case Op::sendmmsg:
      return on_sendmmsg(stop);
    case Op::recvfrom:
      return on_name_result(stop, 4);
    case Op::recvmsg:
      return on_recvmsg(stop);
    case Op::recvmmsg:
      return on_recvmmsg(stop);
    default:
      return on_name_result(stop, 1);
  }
}

void on_socket_exit(Run& run, Task& task, AtExit what, Registers& regs) {
  const auto result = static_cast<long>(regs.rax);
  if (what == AtExit::long_bind && result == 0) (void)::rename(task.rename_from.c_str(), task.rename_to.c_str());
  if (result < 0) return;
  const auto count = std::min(static_cast<std::size_t>(result), k_vector_max);
  if (what == AtExit::socket_name) fix_name_result(run, task, regs);
  if (what == AtExit::message_name) fix_message(run, task, regs.rsi, task.extra[0]);
  for (std::size_t i = 0; i < count; ++i) {
    const Word own = regs.rsi + i * sizeof(mmsghdr);
    if (what == AtExit::messages_name) fix_message(run, task, own, task.extra[0]);
    if (what != AtExit::messages_sent) continue;
    unsigned length = 0;
    constexpr std::size_t at = offsetof(mmsghdr, msg_len);
    if (read_object(task.tid, scratch_of(task) + i * sizeof(mmsghdr) + at, length) == 0)
      (void)write_object(task.tid, own + at, length);
  }
}

}  // namespace udk::engine
