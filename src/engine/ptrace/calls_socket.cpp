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
#include "engine/ptrace/structures.hpp"

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

// A struct msghdr of the guest, changed in place.
class Message {
 public:
  Message(Abi abi, unsigned char* bytes) : word_(xlate::word_size(abi)), layout_(message_layout(abi)), bytes_(bytes) {}
  [[nodiscard]] Word name() const { return get(0, word_); }
  [[nodiscard]] std::uint32_t name_length() const {
    return static_cast<std::uint32_t>(get(layout_.name_length_at, sizeof(socklen_t)));
  }
  [[nodiscard]] Word control() const { return get(layout_.control_at, word_); }
  [[nodiscard]] Word control_length() const { return get(layout_.control_at + word_, word_); }
  void set_name(Word name, std::size_t length) {
    set(0, name, word_);
    set(layout_.name_length_at, length, sizeof(socklen_t));
  }
  void set_control(Word control) { set(layout_.control_at, control, word_); }

 private:
  [[nodiscard]] Word get(std::size_t at, std::size_t size) const {
    Word value = 0;
    std::memcpy(&value, bytes_ + at, size);
    return value;
  }
  void set(std::size_t at, Word value, std::size_t size) { std::memcpy(bytes_ + at, &value, size); }

  std::size_t word_;
  const MessageLayout& layout_;
  unsigned char* bytes_;
};
using MessageBytes = std::array<unsigned char, sizeof(msghdr)>;  // the largest

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
  stop.set_arg(index, place);
  stop.set_arg(index + 1, address.length);
  return Next::watch;
}

// The address cannot be resolved: the kernel gives the error, behind those that it finds before it looks at the
// address.
Next refuse_address(CallStop& stop, int index, Address& address, int error) {
  const char* path = path_to_error(error);
  if (path != nullptr && std::strlen(path) < sizeof(sockaddr_un::sun_path)) {
    set_path(address, path);
    return run_with_address(stop, index, address);
  }
  PathText text;
  const PathText proc = proc_path(stop.task.tid, stop.int_arg(0));
  const bool is_socket = read_kernel_link(proc.c_str(), text) && text.view().starts_with("socket:");
  return is_socket && !only_names(stop.task.tid, stop.int_arg(0)) ? answer(stop, error) : Next::as_is;
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
  stop.set_arg(1, place);
  stop.set_arg(2, address.length);
  return Next::watch;
}

// The parts of a message follow each other in the scratch slot: header, name, control data.
constexpr std::size_t k_name_at = sizeof(msghdr);
constexpr std::size_t k_control_at = 512;
constexpr std::size_t k_control_max = 4096;

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
  std::array<unsigned char, k_messages_max * sizeof(mmsghdr)> messages{};
  std::array<sockaddr_un, k_messages_max> names{};
  const std::size_t count = std::min<std::size_t>(stop.arg(2), k_messages_max);
  if (count == 0 || read_memory(stop.task.tid, stop.arg(1), messages.data(), count * each) != 0) return Next::as_is;
  constexpr std::size_t names_at = sizeof messages;
  static_assert(names_at + k_messages_max * sizeof(sockaddr_un) <= k_slot_size);
  const Word slot = scratch_of(stop.task);
  if (slot == 0 || as_word(stop.abi, slot) != slot) return Next::as_is;
  bool any = false;
  std::size_t usable = count;
  for (std::size_t i = 0; i < usable; ++i) {
    Message message(stop.abi, messages.data() + i * each);
    Address address;
    if (message.name() == 0 || !read_address(stop.task.tid, message.name(), message.name_length(), address)) continue;
    const int done = translate(stop, address);
    if (done < 0 && i == 0) return answer(stop, done);
    if (done < 0) usable = i;  // those before it are sent; the guest gets the error when it comes back with this one
    if (done <= 0) continue;
    any = true;
    std::memcpy(&names[i], &address.bytes, sizeof names[i]);
    message.set_name(slot + names_at + i * sizeof names[i], address.length);
  }
  if (!any && usable == count) return Next::as_is;
  if (write_memory(stop.task.tid, slot, messages.data(), usable * each) != 0 ||
      write_memory(stop.task.tid, slot + names_at, names.data(), usable * sizeof names[0]) != 0)
    return answer(stop, -EFAULT);
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = AtExit::messages_sent;
  stop.task.extra = {stop.arg(1), slot, 0};
  stop.set_arg(1, slot);
  stop.set_arg(2, usable);
  return Next::watch;
}

// Calls that return an address: look at it when they come back. `extra` keeps the room that the guest gave and where
// address (or message) and length are.
Next watch_address(CallStop& stop, AtExit what, Word room, Word at, Word length_at = 0) {
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = what;
  stop.task.extra = {room, at, length_at};
  return Next::watch;
}

Next on_name_result(CallStop& stop, int index) {
  socklen_t room = 0;
  const Word at = stop.arg(index);
  const Word length_at = stop.arg(index + 1);
  if (at == 0 || read_object(stop.task.tid, length_at, room) != 0) return Next::as_is;
  return watch_address(stop, AtExit::socket_name, room, at, length_at);
}

// recvmsg(2), and recvmmsg(2) by its first message.
Next on_message_result(CallStop& stop, AtExit what) {
  const bool empty = what == AtExit::messages_name && stop.arg(2) == 0;
  MessageBytes bytes{};
  if (empty || read_memory(stop.task.tid, stop.arg(1), bytes.data(), message_layout(stop.abi).size) != 0)
    return Next::as_is;
  const Message message(stop.abi, bytes.data());
  const bool named = message.name() != 0 && message.name_length() != 0;
  const bool credentials = stop.run.passes_credentials && message.control() != 0;
  if (!named && !credentials) return Next::as_is;
  return watch_address(stop, what, named ? message.name_length() : 0, stop.arg(1));
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

void fix_control(Run& run, Task& task, const Message& message) {
  const Word size = message.control_length();
  if (!run.passes_credentials || message.control() == 0 || size > k_control_max) return;
  std::array<std::byte, k_control_max> control{};
  const std::span<std::byte> used(control.data(), size);
  if (read_memory(task.tid, message.control(), used.data(), used.size()) != 0) return;
  receive_credentials(run, task.abi, used);
  (void)write_memory(task.tid, message.control(), used.data(), used.size());
}

void fix_message(Run& run, Task& task, Word at, std::size_t room) {
  const MessageLayout& layout = message_layout(task.abi);
  MessageBytes bytes{};
  if (read_memory(task.tid, at, bytes.data(), layout.size) != 0) return;
  const Message message(task.abi, bytes.data());
  fix_control(run, task, message);
  if (message.name() == 0) return;
  const socklen_t length = give_guest_name(run, task, message.name(), message.name_length(), room);
  if (length != 0) (void)write_object(task.tid, at + layout.name_length_at, length);
}

void fix_name_result(Run& run, Task& task) {
  const auto [room, at, length_at] = task.extra;
  socklen_t length = 0;
  if (read_object(task.tid, length_at, length) != 0) return;
  length = give_guest_name(run, task, at, length, room);
  if (length != 0) (void)write_object(task.tid, length_at, length);
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
      return on_message_result(stop, AtExit::message_name);
    case Op::recvmmsg:
      return on_message_result(stop, AtExit::messages_name);
    default:
      return on_name_result(stop, 1);
  }
}

void on_socket_exit(Run& run, Task& task, AtExit what, long result) {
  if (what == AtExit::long_bind && result == 0) (void)::rename(task.rename_from.c_str(), task.rename_to.c_str());
  if (result < 0) return;
  const auto count = std::min(static_cast<std::size_t>(result), k_vector_max);
  if (what == AtExit::socket_name) fix_name_result(run, task);
  if (what == AtExit::message_name) fix_message(run, task, task.extra[1], task.extra[0]);
  if (what == AtExit::messages_sent) give_sent(task, count);
  for (std::size_t i = 0; i < count && what == AtExit::messages_name; ++i)
    fix_message(run, task, task.extra[1] + i * message_layout(task.abi).vector_size, task.extra[0]);
}

}  // namespace udk::engine
