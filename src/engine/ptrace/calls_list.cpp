#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/file.hpp"
#include "engine/ptrace/call_stop.hpp"

// getdents(2), where a mount point is missing in a real directory. The kernel lists the directory's own entries; when
// it says that there are no more, the missing ones follow, as many as fit the buffer, and then the end.
//
// Why behind and not in front: a directory's position is the kernel's, and behind the end it does not move, whatever
// the buffer holds, so entries can be handed out in as many calls as needed. In front the first call would have to
// bring all of them and at least one of the kernel's, or be asked again at the same position. How far a reader has got
// is kept for its open file description, which is what dup(2) and fork(2) share. It begins anew when the kernel has
// entries again: after rewinddir(3), which needs no stop of its own. The positions of the entries (d_off) are numbers
// that no file system uses; lseek(2) stops for these alone (Stop::list_position), so that seekdir(3) finds them.
namespace udk::engine {
namespace {

constexpr std::size_t k_batch = 32768;  // as much as is handed out in one call

std::size_t rounded(std::size_t size) { return (size + 7) & ~std::size_t{7}; }

template <class T>
void put(std::string& out, std::size_t at, T value) {
  std::memcpy(out.data() + at, &value, sizeof value);
}

// struct linux_dirent64 or linux_dirent; both begin with inode, position and length.
std::string record(const ListedEntry& entry, std::uint64_t next, bool wide) {
  constexpr std::size_t k_head = 18;
  const std::size_t length = rounded(k_head + 1 + entry.name.size() + 1);
  std::string out(length, '\0');
  put(out, 0, entry.inode);
  put(out, 8, next);
  put(out, 16, static_cast<std::uint16_t>(length));
  out[wide ? k_head : length - 1] = static_cast<char>(entry.type);  // the old form has the type in its last byte
  out.replace(wide ? k_head + 1 : k_head, entry.name.size(), entry.name);
  return out;
}

// The position of an open file: the "pos:" line of its fdinfo.
std::int64_t position_of(pid_t tid, int fd) {
  const auto text = read_file("/proc/" + std::to_string(tid) + "/fdinfo/" + std::to_string(fd), 4096);
  return text && text->starts_with("pos:") ? std::strtoll(text->c_str() + 4, nullptr, 10) : 0;
}

// The result of the call that begins with the entry `stream.served`.
long hand_out(const ListedDirectory& directory, ListingStream& stream, const Task& task, Word buffer, std::size_t room,
              bool wide) {
  std::string records;
  std::size_t at = stream.served;
  bool full = false;
  for (; at < directory.entries.size(); ++at) {
    const ListedEntry& entry = directory.entries[at];
    struct stat st {};
    if (::lstat((directory.host + "/" + entry.name).c_str(), &st) == 0) continue;  // made since: the kernel lists it
    const std::string one = record(entry, xlate::k_list_position + at + 1, wide);
    full = records.size() + one.size() > room;
    if (full) break;
    records += one;
  }
  if (full && records.empty()) return -EINVAL;  // as the kernel says it of a buffer that is too small for one
  if (const int e = write_memory(task.tid, buffer, records.data(), records.size()); e != 0) return e;
  stream.served = at;
  return static_cast<long>(records.size());
}

Next on_list(CallStop& stop) {
  if (stop.run.listings.find(stop.task.tid, stop.int_arg(0)) == nullptr) return Next::as_is;
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = AtExit::listing;
  return Next::watch;
}

// To one of our positions: the kernel goes to the end of the directory's own entries.
Next on_seek(CallStop& stop) {
  const std::uint64_t place = stop.arg(1) - xlate::k_list_position;
  const int fd = stop.int_arg(0);
  if (stop.arg(1) >> 32 != xlate::k_list_position >> 32 || stop.int_arg(2) != SEEK_SET) return Next::as_is;
  const ListedDirectory* directory = stop.run.listings.find(stop.task.tid, fd);
  if (directory == nullptr || place > directory->entries.size()) return Next::as_is;
  ListingStream* stream = stop.run.listings.stream(stop.task.tgid, fd);
  if (stream == nullptr) return Next::as_is;
  stream->served = place;
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = AtExit::list_position;
  stop.regs.rsi = static_cast<Word>(stream->end);
  return Next::watch;
}

}  // namespace

Next on_list_call(CallStop& stop) { return stop.call.op == xlate::Op::seek ? on_seek(stop) : on_list(stop); }

void on_list_exit(Run& run, Task& task, AtExit what, Registers& regs) {
  const auto result = static_cast<long>(regs.rax);
  if (result < 0) return;
  if (what == AtExit::list_position) {
    regs.rax = argument(regs, 1);
    return;
  }
  const int fd = static_cast<int>(argument(regs, 0));
  ListingStream* stream = run.listings.stream(task.tgid, fd);
  if (result > 0) {
    if (stream != nullptr) stream->served = 0;
    return;
  }
  const ListedDirectory* directory = run.listings.find(task.tid, fd);
  if (directory == nullptr) return;
  if (stream == nullptr) stream = &run.listings.new_stream(task.tgid, fd);
  stream->end = position_of(task.tid, fd);
  const std::size_t room = std::min<std::size_t>(static_cast<std::uint32_t>(argument(regs, 2)), k_batch);
  const bool wide = task.at_entry.orig_rax == SYS_getdents64;
  regs.rax = static_cast<Word>(hand_out(*directory, *stream, task, argument(regs, 1), room, wide));
}

}  // namespace udk::engine
