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
#include "engine/ptrace/socket_message.hpp"

// Socket addresses on their way into the kernel: the paths of AF_UNIX and moved ports are translated.
namespace udk::engine {
namespace {

using xlate::Final;
using xlate::Op;

void set_path(Address& address, const std::string& path) {
  std::memset(&address.bytes, 0, sizeof address.bytes);
  address.bytes.ss_family = AF_UNIX;
  std::memcpy(reinterpret_cast<char*>(&address.bytes) + k_sun_path_start, path.data(), path.size());
  // A longer length is allowed: then the caller's own can stay.
  address.length =
      std::max(address.length, k_sun_path_start + std::min(path.size() + 1, sizeof(sockaddr_un::sun_path)));
  address.length = std::min(address.length, sizeof(sockaddr_un));
}

// The address of an existing socket: 1 if it was translated, 0 if it has no path, or -errno.
int translate_target(CallStop& stop, Address& address) {
  Run& run = stop.run;
  const std::string path(socket_path(address.bytes, address.length));
  if (path.empty()) return 0;
  if (const int e = run.lookup.path(stop.task, AT_FDCWD, path, Final::follow, 0, run.at); e != 0) return e;
  const std::string target = run.sockets.existing(std::string(run.at.host.view()), stop.task.targets);
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

// Makes the call with another address and looks at its result; argument `index` is its pointer, the next one its
// length.
Next watch_with_address(CallStop& stop, int index, const Address& address, AtExit what) {
  const Word place = put_scratch(stop, &address.bytes, sizeof(sockaddr_un));
  if (place == 0) return answer(stop, -EFAULT);
  stop.task.at_entry = stop.regs;
  stop.set_arg(index, place);
  stop.set_arg(index + 1, address.length);
  stop.task.at_exit = what;
  return Next::watch;
}

// Makes the call with another address.
Next run_with_address(CallStop& stop, int index, const Address& address) {
  if (address.length != stop.arg(index + 1)) return watch_with_address(stop, index, address, AtExit::restore);
  const Word place = put_scratch(stop, &address.bytes, sizeof(sockaddr_un));
  return place == 0 ? answer(stop, -EFAULT) : run_with_pointer(stop, index, place);
}

// The address cannot be resolved: the kernel gives the error, behind those that it finds before it looks at the
// address.
Next refuse_address(CallStop& stop, int index, Address& address, int error) {
  const char* path = path_to_error(error);
  const bool fits = path != nullptr && std::strlen(path) < sizeof(sockaddr_un::sun_path);
  set_path(address, fits ? path : path_to_error(-ENOENT));
  if (fits) return run_with_address(stop, index, address);
  stop.task.extra = {static_cast<Word>(error), 0, 0};
  return watch_with_address(stop, index, address, AtExit::address_error);
}

Next on_target(CallStop& stop, int index) {
  Address address;
  if (!read_address(stop.task.tid, stop.arg(index), stop.arg(index + 1), address)) return Next::as_is;
  const int done = translate(stop, address);
  if (done <= 0) return done == 0 ? Next::as_is : refuse_address(stop, index, address, done);
  return run_with_address(stop, index, address);
}

Next bind_port(CallStop& stop, Address& address) {
  const auto length = static_cast<socklen_t>(address.length);
  const bool moved = stop.run.ports.to_host_bind(protocol_of(stop.task.tgid, stop.int_arg(0)), address.bytes, length);
  return moved ? run_with_address(stop, 1, address) : Next::as_is;
}

// The file that bind(2) makes has the mode of the descriptor's own inode, which fchmod(2) may have changed.
mode_t mode_of_socket(CallStop& stop, int fd) {
  struct stat st {};
  if (::stat(proc_path(stop.task.tid, fd).c_str(), &st) != 0) return 0777;
  return belief_of(stop.run, st, {}).owner.mode;
}

Next on_bind(CallStop& stop) {
  Run& run = stop.run;
  Address address;
  if (!read_address(stop.task.tid, stop.arg(1), stop.arg(2), address)) return Next::as_is;
  if (port_of(address.bytes, static_cast<socklen_t>(address.length)) != 0) return bind_port(stop, address);
  const std::string path(socket_path(address.bytes, address.length));
  if (path.empty()) return Next::as_is;
  if (const int e = run.lookup.path(stop.task, AT_FDCWD, path, Final::parent, 0, run.at); e != 0)
    return refuse_address(stop, 1, address, e);
  const std::string host(run.at.host.view());
  if (const int e = check_new_name(stop, run.at); e != 0)
    return refuse_address(stop, 1, address, e == -EEXIST ? -EADDRINUSE : e);
  note_creation(stop, run.at, S_IFSOCK | mode_of_socket(stop, stop.int_arg(0)));
  bool moved = false;
  const std::string target = run.sockets.future(host, moved);
  if (target.empty()) return answer(stop, -errno);
  run.sockets.remember(target, path);
  set_path(address, target);
  if (!moved) return run_with_address(stop, 1, address);
  stop.task.rename_from = target;
  stop.task.rename_to = host;
  return watch_with_address(stop, 1, address, AtExit::long_bind);
}

// The parts of a message follow each other in the scratch slot: header, name, control data.
constexpr std::size_t k_name_at = sizeof(msghdr);
constexpr std::size_t k_control_at = 512;

// Puts the translated name of a message into the scratch slot: 1 if it was changed, 0 if not, or -errno.
int replace_name(CallStop& stop, Message& message) {
  Address address;
  if (message.name() == 0 || !read_address(stop.task.tid, message.name(), message.name_length(), address)) return 0;
  const int done = translate(stop, address);
  if (done <= 0) return done;
  const Word place = put_scratch(stop, &address.bytes, sizeof(sockaddr_un), k_name_at);
  message.set_name(place, address.length);
  return place == 0 ? -EFAULT : 1;
}

// The same for credentials that the kernel would not let the user send.
int replace_control(CallStop& stop, Message& message) {
  const Word size = message.control_length();
  if (!stop.run.emulate_ids || message.control() == 0 || size < sizeof(ucred) || size > k_control_max) return 0;
  std::array<std::byte, k_control_max> control{};
  const std::span<std::byte> used(control.data(), size);
  if (read_memory(stop.task.tid, message.control(), used.data(), used.size()) != 0) return 0;
  const std::vector<std::byte> own(used.begin(), used.end());
  if (const int e = send_credentials(stop, used); e != 0) return e;
  if (std::equal(own.begin(), own.end(), used.begin())) return 0;
  const Word place = put_scratch(stop, used.data(), used.size(), k_control_at);
  message.set_control(place);
  return place == 0 ? -EFAULT : 1;
}

Next on_sendmsg(CallStop& stop) {
  const std::size_t size = message_layout(stop.abi).size;
  MessageBytes bytes{};
  if (read_memory(stop.task.tid, stop.arg(1), bytes.data(), size) != 0) return Next::as_is;
  Message message(stop.abi, bytes.data());
  const int name = replace_name(stop, message);
  if (name < 0) return answer(stop, name);
  const int control = replace_control(stop, message);
  if (control < 0) return answer(stop, control);
  if (name == 0 && control == 0) return Next::as_is;
  const Word place = put_scratch(stop, bytes.data(), size);
  return place == 0 ? answer(stop, -EFAULT) : run_with_pointer(stop, 1, place);
}

Next on_sendmmsg(CallStop& stop) {
  const std::size_t each = message_layout(stop.abi).vector_size;
  const std::size_t count = std::min<std::size_t>(stop.arg(2), k_messages_max);
  MessageBlock block{};
  if (count == 0 || read_memory(stop.task.tid, stop.arg(1), block.data(), count * each) != 0) return Next::as_is;
  const std::size_t names_at = names_offset(count * each);
  std::array<std::size_t, k_messages_max> lengths{};  // of the names that were translated
  std::size_t usable = count;
  for (std::size_t i = 0; i < usable; ++i) {
    const Message message(stop.abi, block.data() + i * each);
    Address address;
    if (message.name() == 0 || !read_address(stop.task.tid, message.name(), message.name_length(), address)) continue;
    const int done = translate(stop, address);
    if (done < 0 && i == 0) return answer(stop, done);
    if (done < 0) usable = i;  // those before it are sent; the guest gets the error when it comes back with this one
    if (done <= 0) continue;
    lengths.at(i) = address.length;
    std::memcpy(block.data() + names_at + i * sizeof address.bytes, &address.bytes, sizeof address.bytes);
  }
  const bool any = std::any_of(lengths.begin(), lengths.end(), [](std::size_t length) { return length != 0; });
  if (!any && usable == count) return Next::as_is;
  const Word place = put_scratch(stop, block.data(), names_at + usable * sizeof(sockaddr_storage));
  for (std::size_t i = 0; i < usable; ++i)
    if (lengths.at(i) != 0)
      Message(stop.abi, block.data() + i * each)
          .set_name(place + names_at + i * sizeof(sockaddr_storage), lengths.at(i));
  if (place == 0 || write_memory(stop.task.tid, place, block.data(), usable * each) != 0) return answer(stop, -EFAULT);
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = AtExit::messages_sent;
  stop.task.extra = {stop.arg(1), place};
  stop.set_arg(1, place);
  stop.set_arg(2, usable);
  return Next::watch;
}

}  // namespace

bool read_address(pid_t tid, Word at, std::size_t length, Address& out) {
  out.length = std::min(length, sizeof out.bytes);
  return length >= k_sun_path_start && length <= sizeof out.bytes && read_memory(tid, at, &out.bytes, length) == 0;
}

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
    default:
      return on_address_result(stop);
  }
}

}  // namespace udk::engine
