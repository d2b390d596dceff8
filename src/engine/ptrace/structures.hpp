#pragma once

#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include <array>
#include <cstdint>
#include <vector>

#include "engine/ptrace/call_stop.hpp"

// The structures whose form depends on the call: the word size, and the several generations that i386 has of them. All
// return 0 or -errno (-EOVERFLOW: the older form cannot hold the value, as Linux says it).
namespace udk::engine {

int write_stat(CallStop& stop, Word at, const struct stat& st);
int write_statfs(CallStop& stop, Word at, const struct statfs& st);
int write_names(CallStop& stop, Word at, const utsname& names);

// struct utimbuf, timeval[2] or timespec[2], by the op of the call.
int read_times(CallStop& stop, Word at, std::array<timespec, 2>& times);

// Ids: with 16 bits -1 stays -1, and what is too large is shown as 65534.
std::uint32_t id_arg(CallStop& stop, int i);
std::uint32_t shown_id(const CallStop& stop, std::uint32_t id);
std::size_t id_size(const CallStop& stop);
int write_ids(CallStop& stop, Word at, const std::vector<gid_t>& ids);
int read_ids(CallStop& stop, Word at, std::vector<gid_t>& ids);

// Where struct msghdr and mmsghdr have the parts that matter. msg_name is first in both.
struct MessageLayout {
  std::size_t size;            // of a msghdr
  std::size_t name_length_at;  // msg_namelen, 32 bits
  std::size_t control_at;      // msg_control, and behind it its length
  std::size_t vector_size;     // of a mmsghdr
  std::size_t sent_at;         // msg_len, 32 bits
};
const MessageLayout& message_layout(Abi abi);

}  // namespace udk::engine
