#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

// Which of the structures a caller gets: linux_dirent64, or linux_dirent of its word size.
struct Form {
  Abi abi;
  bool wide;
  [[nodiscard]] std::size_t word() const { return wide ? 8 : xlate::word_size(abi); }
  [[nodiscard]] Word first_position() const {
    return abi == Abi::x86_64 ? xlate::k_list_position : xlate::k_list_position_i386;
  }
};

template <class T>
void put(std::string& out, std::size_t at, T value) {
  std::memcpy(out.data() + at, &value, sizeof value);
}

// All forms begin with inode, position and length.
std::string record(const ListedEntry& entry, Word next, const Form& form) {
  const std::size_t word = form.word();
  const std::size_t head = 2 * word + sizeof(std::uint16_t);
  const std::size_t length = (head + 1 + entry.name.size() + 1 + word - 1) & ~(word - 1);
  std::string out(length, '\0');
  const std::array<Word, 2> numbers = {entry.inode, next};
  for (std::size_t i = 0; i < numbers.size(); ++i) std::memcpy(out.data() + i * word, &numbers[i], word);
  put(out, 2 * word, static_cast<std::uint16_t>(length));
  out[form.wide ? head : length - 1] = static_cast<char>(entry.type);  // the old form has the type in its last byte
  out.replace(form.wide ? head + 1 : head, entry.name.size(), entry.name);
  return out;
}

// The position of an open file: the "pos:" line of its fdinfo.
std::int64_t position_of(pid_t tid, int fd) {
  const auto text = read_file("/proc/" + std::to_string(tid) + "/fdinfo/" + std::to_string(fd), 4096);
  return text && text->starts_with("pos:") ? std::strtoll(text->c_str() + 4, nullptr, 10) : 0;
}

// The result of the call that begins with the entry `stream.served`.
long hand_out(const ListedDirectory& directory, ListingStream& stream, const Task& task, Word buffer, std::size_t room,
              const Form& form) {
  std::string records;
  std::size_t at = stream.served;
  bool full = false;
  for (; at < directory.entries.size(); ++at) {
    const ListedEntry& entry = directory.entries[at];
    struct stat st {};
    if (::lstat((directory.host + "/" + entry.name).c_str(), &st) == 0) continue;  // made since: the kernel lists it
    const std::string one = record(entry, form.first_position() + at + 1, form);
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
  stop.task.at_exit = stop.call.layout == xlate::Layout::old ? AtExit::old_listing : AtExit::listing;
  stop.task.extra = {stop.arg(0), stop.arg(1), stop.arg(2)};
  return Next::watch;
}

// To one of our positions: the kernel goes to the end of the directory's own entries. _llseek(2) of i386 has the halves
// of the position in two arguments, and gives the new one in memory.
Next on_seek(CallStop& stop) {
  const bool halves = stop.call.stop_arg == 2;
  const Word wanted = halves ? stop.arg(1) << 32 | stop.arg(2) : stop.arg(1);
  const Word first = Form{stop.abi, true}.first_position();
  const int fd = stop.int_arg(0);
  if (wanted < first || stop.int_arg(halves ? 4 : 2) != SEEK_SET) return Next::as_is;
  const ListedDirectory* directory = stop.run.listings.find(stop.task.tid, fd);
  if (directory == nullptr || wanted - first > directory->entries.size()) return Next::as_is;
  ListingStream* stream = stop.run.listings.stream(stop.task.tgid, fd);
  if (stream == nullptr) return Next::as_is;
  stream->served = wanted - first;
  stop.task.at_entry = stop.regs;
  stop.task.at_exit = AtExit::list_position;
  stop.task.extra = {wanted, halves ? stop.arg(3) : 0, 0};
  const auto end = static_cast<Word>(stream->end);
  stop.set_arg(1, halves ? end >> 32 : end);
  if (halves) stop.set_arg(2, static_cast<std::uint32_t>(end));
  return Next::watch;
}

}  // namespace

Next on_list_call(CallStop& stop) { return stop.call.op == xlate::Op::seek ? on_seek(stop) : on_list(stop); }

long on_list_exit(Run& run, Task& task, AtExit what, long result) {
  if (result < 0) return result;
  if (what == AtExit::list_position) {
    const Word position = task.extra[0];
    const Word result_at = task.extra[1];
    if (result_at == 0) return static_cast<long>(position);
    return write_object(task.tid, result_at, position);
  }
  const int fd = static_cast<int>(task.extra[0]);
  ListingStream* stream = run.listings.stream(task.tgid, fd);
  if (result > 0) {
    if (stream != nullptr) stream->served = 0;
    return result;
  }
  const ListedDirectory* directory = run.listings.find(task.tid, fd);
  if (directory == nullptr) return result;
  if (stream == nullptr) stream = &run.listings.new_stream(task.tgid, fd);
  stream->end = position_of(task.tid, fd);
  const std::size_t room = std::min<std::size_t>(static_cast<std::uint32_t>(task.extra[2]), k_batch);
  return hand_out(*directory, *stream, task, task.extra[1], room, {task.abi, what == AtExit::listing});
}

}  // namespace udk::engine
