#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "engine/ptrace/memory.hpp"
#include "engine/ptrace/structures.hpp"

// Addresses and message headers in a guest's memory.
namespace udk::engine {

inline constexpr std::size_t k_sun_path_start = offsetof(sockaddr_un, sun_path);
// Messages of one sendmmsg(2) or recvmmsg(2) that are changed at once: the guest sees fewer done and repeats the rest.
inline constexpr std::size_t k_messages_max = 40;

struct Address {
  sockaddr_storage bytes{};
  std::size_t length = 0;
};

// Reads an address argument. Anything that the kernel will refuse anyway counts as not translatable.
bool read_address(pid_t tid, Word at, std::size_t length, Address& out);

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
using MessageBytes = std::array<unsigned char, sizeof(mmsghdr)>;  // the largest

// Control data that is looked at; more than that passes as it is.
inline constexpr std::size_t k_control_max = 4096;

// The copy of several messages in scratch memory: the headers, then room for the name of each.
constexpr std::size_t names_offset(std::size_t headers) { return (headers + 15) & ~std::size_t{15}; }
using MessageBlock = std::array<unsigned char, names_offset(k_messages_max * sizeof(mmsghdr)) +
                                                   k_messages_max * sizeof(sockaddr_storage)>;

}  // namespace udk::engine
