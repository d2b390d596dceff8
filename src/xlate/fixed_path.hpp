#pragma once

#include <cstddef>
#include <string_view>

// Text in a buffer of fixed size: what the path code uses instead of std::string. Part of the freestanding core: no
// allocation, no libc beyond memcpy and memmove.
namespace udk::xlate {

// memmove that also works at compile time.
constexpr void copy_bytes(char* to, const char* from, std::size_t n) {
  if (__builtin_is_constant_evaluated()) {
    for (std::size_t i = 0; i < n; ++i) to[i] = from[i];
  } else {
    __builtin_memmove(to, from, n);
  }
}

// A NUL-terminated text of at most Capacity bytes. Operations that would not fit change nothing and say false.
template <std::size_t Capacity>
class FixedText {
 public:
  // The bytes are left uninitialised on purpose: buffers are large and reused for every call.
  constexpr FixedText() { data_[0] = '\0'; }  // NOLINT(cppcoreguidelines-pro-type-member-init)

  static constexpr std::size_t capacity() { return Capacity; }
  [[nodiscard]] constexpr std::string_view view() const { return {data_, size_}; }
  [[nodiscard]] constexpr const char* c_str() const { return data_; }
  [[nodiscard]] constexpr char* data() { return data_; }
  [[nodiscard]] constexpr std::size_t size() const { return size_; }
  [[nodiscard]] constexpr bool empty() const { return size_ == 0; }

  constexpr void clear() { resize_down(0); }
  // Cuts to the first n bytes; n <= size().
  constexpr void resize_down(std::size_t n) {
    size_ = n;
    data_[n] = '\0';
  }
  // For text that was written through data(); n <= Capacity.
  constexpr void set_size(std::size_t n) { resize_down(n); }

  constexpr bool assign(std::string_view s) {
    if (s.size() > Capacity) return false;
    copy_bytes(data_, s.data(), s.size());
    resize_down(s.size());
    return true;
  }
  constexpr bool append(std::string_view s) {
    if (s.size() > Capacity - size_) return false;
    copy_bytes(data_ + size_, s.data(), s.size());
    resize_down(size_ + s.size());
    return true;
  }
  // "/" + name.
  constexpr bool push(std::string_view name) {
    if (name.size() + 1 > Capacity - size_) return false;
    data_[size_] = '/';
    copy_bytes(data_ + size_ + 1, name.data(), name.size());
    resize_down(size_ + 1 + name.size());
    return true;
  }
  // Drops the last component and its slash.
  constexpr void pop() {
    std::size_t n = size_;
    while (n > 0 && data_[n - 1] != '/') --n;
    resize_down(n > 0 ? n - 1 : 0);
  }

 private:
  char data_[Capacity + 1];
  std::size_t size_ = 0;
};

// Linux' limits: a path handed to a call holds at most 4095 bytes, a name 255.
inline constexpr std::size_t k_path_max = 4096;
// What a walk may build up: deeper than PATH_MAX, because relative steps and links can go deeper.
using GuestPath = FixedText<8191>;
using HostPath = FixedText<16383>;

// Whether `path` is `prefix` or lies below it, by whole components. Both without a trailing slash ("" is "/").
constexpr bool is_below(std::string_view path, std::string_view prefix) {
  if (path.size() < prefix.size()) return false;
  for (std::size_t i = prefix.size(); i > 0; --i)  // the ends differ more often than the beginnings
    if (path[i - 1] != prefix[i - 1]) return false;
  return path.size() == prefix.size() || path[prefix.size()] == '/';
}

constexpr std::string_view tail(std::string_view s, std::size_t from) { return {s.data() + from, s.size() - from}; }
constexpr std::string_view head(std::string_view s, std::size_t n) { return {s.data(), n}; }

}  // namespace udk::xlate
