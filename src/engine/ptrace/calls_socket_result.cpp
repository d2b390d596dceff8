#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "engine/ptrace/call_stop.hpp"
#include "engine/ptrace/socket_message.hpp"

// Socket addresses on their way back: what the kernel tells in the host's words, the guest gets in its own.
namespace udk::engine {
namespace {

using xlate::Op;

// recvmmsg(2) and sendmmsg(2) take no more.
constexpr std::size_t k_vector_max = 1024;
// No host address is longer, since SocketNames keeps paths short. With less room the kernel would cut the host's path,
// which then means nothing any more: such calls get room of our own.
constexpr std::size_t k_room = sizeof(sockaddr_un);

// A length and an address in scratch memory, as getsockname(2) and the like fill them.
struct OwnRoom {
  alignas(16) socklen_t length = sizeof(sockaddr_storage);
  alignas(16) sockaddr_storage address{};
};

// Remembers where the guest wants address and length.
Next on_name_result(CallStop& stop, int index) {
  int room = 0;
  const Word at = stop.arg(index);
  const Word length_at = stop.arg(index + 1);
  if (at == 0 || read_object(stop.task.tid, length_at, room) != 0 || room < 0) return Next::as_is;
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = AtExit::socket_name;
  Word place = 0;
  if (static_cast<std::size_t>(room) < k_room) {
    const OwnRoom own;
    place = put_scratch(stop, &own, sizeof own);
    if (place == 0) return answer(stop, -EFAULT);
    stop.set_arg(index, place + offsetof(OwnRoom, address));
    stop.set_arg(index + 1, place + offsetof(OwnRoom, length));
  }
  stop.task.extra = {static_cast<Word>(room), at, length_at, place};
  return Next::watch;
}

// Lets the kernel write headers and names of the first `count` messages into our own copy.
Next receive_into_copy(CallStop& stop, std::size_t count, std::size_t each) {
  MessageBlock block{};
  if (read_memory(stop.task.tid, stop.arg(1), block.data(), count * each) != 0) return Next::as_is;
  const std::size_t names_at = names_offset(count * each);
  const Word place = put_scratch(stop, block.data(), names_at + count * sizeof(sockaddr_storage));
  for (std::size_t i = 0; i < count; ++i) {
    Message message(stop.abi, block.data() + i * each);
    if (message.name() != 0)
      message.set_name(place + names_at + i * sizeof(sockaddr_storage), sizeof(sockaddr_storage));
  }
  if (place == 0 || write_memory(stop.task.tid, place, block.data(), count * each) != 0) return answer(stop, -EFAULT);
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = AtExit::messages_copied;
  stop.task.extra = {place, stop.arg(1), count, each};
  stop.set_arg(1, place);
  if (stop.call.op == Op::recvmmsg) stop.set_arg(2, count);
  return Next::watch;
}

Next watch_messages(CallStop& stop, AtExit what, Word room) {
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = what;
  stop.task.extra = {room, stop.arg(1)};
  return Next::watch;
}

Next on_recvmsg(CallStop& stop) {
  const std::size_t size = message_layout(stop.abi).size;
  MessageBytes bytes{};
  if (read_memory(stop.task.tid, stop.arg(1), bytes.data(), size) != 0) return Next::as_is;
  const Message message(stop.abi, bytes.data());
  const bool named = message.name() != 0;
  const std::size_t room = named ? message.name_length() : 0;
  if (named && room < k_room) return receive_into_copy(stop, 1, size);
  const bool credentials = stop.run.passes_credentials && message.control() != 0;
  return named || credentials ? watch_messages(stop, AtExit::message_name, room) : Next::as_is;
}

Next on_recvmmsg(CallStop& stop) {
  const std::size_t each = message_layout(stop.abi).vector_size;
  const std::size_t count = std::min<std::size_t>(stop.arg(2), k_messages_max);
  MessageBlock block{};
  if (count == 0 || read_memory(stop.task.tid, stop.arg(1), block.data(), count * each) != 0) return Next::as_is;
  for (std::size_t i = 0; i < count; ++i)
    if (Message(stop.abi, block.data() + i * each).name() != 0) return receive_into_copy(stop, count, each);
  return stop.run.passes_credentials ? watch_messages(stop, AtExit::messages_control, 0) : Next::as_is;
}

// Turns an address of the kernel into the guest's; false if it is the same.
bool to_guest_form(Run& run, Task& task, Address& address) {
  const auto length = static_cast<socklen_t>(address.length);
  if (run.ports.any() && run.ports.to_guest(std::nullopt, address.bytes, length)) return true;
  const std::string host(socket_path(address.bytes, address.length));
  if (host.empty() || host.front() != '/') return false;
  std::string guest;
  if (const std::string* known = run.sockets.find(host)) {
    guest = *known;
  } else {
    xlate::GuestPath path;
    if (!run.lookup.guest_name(task, host, path)) return false;
    guest = path.empty() ? "/" : std::string(path.view());
  }
  guest.resize(std::min(guest.size(), sizeof(sockaddr_un::sun_path)));
  std::memcpy(reinterpret_cast<char*>(&address.bytes) + k_sun_path_start, guest.c_str(), guest.size() + 1);
  address.length = k_sun_path_start + guest.size() + 1;  // as Linux counts it, even if that is more than a sockaddr_un
  return true;
}

// Writes as much of an address as there is room for; 0 or -EFAULT.
int give_address(const Task& task, const Address& address, Word at, std::size_t room) {
  return write_memory(task.tid, at, &address.bytes, std::min({address.length, room, sizeof address.bytes}));
}

// An address that the kernel has written.
Address written_address(const Task& task, Word at, std::size_t length) {
  Address address;
  if (!read_address(task.tid, at, length, address)) address.length = length;
  return address;
}

long give_name(Run& run, Task& task, long result) {
  const auto [room, at, length_at, own] = task.extra;
  socklen_t length = 0;
  if (read_object(task.tid, own != 0 ? own + offsetof(OwnRoom, length) : length_at, length) != 0) return result;
  if (own == 0 && length > room) return result;
  Address address = written_address(task, own != 0 ? own + offsetof(OwnRoom, address) : at, length);
  if (!to_guest_form(run, task, address) && own == 0) return result;
  length = static_cast<socklen_t>(address.length);
  const bool given = give_address(task, address, at, room) == 0 && write_object(task.tid, length_at, length) == 0;
  return given ? result : -EFAULT;
}

void fix_control(Run& run, Task& task, const Message& message) {
  const Word size = message.control_length();
  if (!run.passes_credentials || message.control() == 0 || size > k_control_max) return;
  std::array<std::byte, k_control_max> control{};
  const std::span<std::byte> used(control.data(), size);
  if (read_memory(task.tid, message.control(), used.data(), used.size()) != 0) return;
  receive_credentials(run, task.abi, used);
  (void)write_memory(task.tid, message.control(), used.data(), used.size());
}

// A message that the kernel wrote in its place, whose name has room for any.
void fix_message(Run& run, Task& task, Word at, std::size_t room) {
  const MessageLayout& layout = message_layout(task.abi);
  MessageBytes bytes{};
  if (read_memory(task.tid, at, bytes.data(), layout.size) != 0) return;
  const Message message(task.abi, bytes.data());
  fix_control(run, task, message);
  if (message.name() == 0 || message.name_length() > room) return;
  Address address = written_address(task, message.name(), message.name_length());
  if (!to_guest_form(run, task, address) || give_address(task, address, message.name(), room) != 0) return;
  (void)write_object(task.tid, at + layout.name_length_at, static_cast<socklen_t>(address.length));
}

// One message of our copy, with its name, to where the guest expects it.
void give_message(Run& run, Task& task, Word copy, Word at, std::size_t size) {
  MessageBytes own_bytes{};
  MessageBytes bytes{};
  if (read_memory(task.tid, copy, own_bytes.data(), size) != 0 || read_memory(task.tid, at, bytes.data(), size) != 0)
    return;
  Message own(task.abi, own_bytes.data());
  const Message asked(task.abi, bytes.data());
  fix_control(run, task, own);
  if (asked.name() != 0) {
    Address address = written_address(task, own.name(), own.name_length());
    (void)to_guest_form(run, task, address);
    (void)give_address(task, address, asked.name(), asked.name_length());
    own.set_name(asked.name(), address.length);
  }
  (void)write_memory(task.tid, at, own_bytes.data(), size);
}

void give_messages(Run& run, Task& task, std::size_t count) {
  const auto [copy, at, asked, each] = task.extra;
  const std::size_t done = each == message_layout(task.abi).size ? 1 : std::min<std::size_t>(count, asked);
  for (std::size_t i = 0; i < done; ++i) give_message(run, task, copy + i * each, at + i * each, each);
}

// The lengths that the kernel wrote into our copy of the messages.
void give_sent(Task& task, std::size_t count) {
  const MessageLayout& layout = message_layout(task.abi);
  for (std::size_t i = 0; i < count; ++i) {
    const Word at = i * layout.vector_size + layout.sent_at;
    std::uint32_t length = 0;
    if (read_object(task.tid, task.extra[1] + at, length) == 0)
      (void)write_object(task.tid, task.extra[0] + at, length);
  }
}

}  // namespace

Next on_address_result(CallStop& stop) {
  switch (stop.call.op) {
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

long on_socket_exit(Run& run, Task& task, AtExit what, long result) {
  if (what == AtExit::long_bind && result == 0) (void)::rename(task.rename_from.c_str(), task.rename_to.c_str());
  // The kernel has found nothing wrong before it looked at the address, which led nowhere.
  if (what == AtExit::address_error) return result == -ENOENT ? static_cast<long>(task.extra[0]) : result;
  if (result < 0) return result;
  const auto count = std::min(static_cast<std::size_t>(result), k_vector_max);
  if (what == AtExit::socket_name) return give_name(run, task, result);
  if (what == AtExit::message_name) fix_message(run, task, task.extra[1], task.extra[0]);
  if (what == AtExit::messages_copied) give_messages(run, task, count);
  if (what == AtExit::messages_sent) give_sent(task, count);
  for (std::size_t i = 0; i < count && what == AtExit::messages_control; ++i)
    fix_message(run, task, task.extra[1] + i * message_layout(task.abi).vector_size, 0);
  return result;
}

}  // namespace udk::engine
