#pragma once

#include <sys/types.h>

#include <cstddef>

#include "engine/ptrace/registers.hpp"

// The memory of a stopped guest. All return 0 or -errno (-EFAULT: not mapped, as the kernel would say).
namespace udk::engine {

int read_memory(pid_t tid, Word address, void* to, std::size_t size);
int write_memory(pid_t tid, Word address, const void* from, std::size_t size);

// A NUL-terminated text of less than `capacity` bytes; `length` without the NUL. -ENAMETOOLONG: no end within it. Never
// reads a page that the text does not reach.
int read_text(pid_t tid, Word address, char* to, std::size_t capacity, std::size_t& length);

template <class T>
int read_object(pid_t tid, Word address, T& object) {
  return read_memory(tid, address, &object, sizeof object);
}
// A pointer or a long of the guest.
inline int read_word(pid_t tid, Abi abi, Word address, Word& word) {
  word = 0;
  return read_memory(tid, address, &word, xlate::word_size(abi));
}
template <class T>
int write_object(pid_t tid, Word address, const T& object) {
  return write_memory(tid, address, &object, sizeof object);
}

}  // namespace udk::engine
