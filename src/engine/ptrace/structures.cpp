#include "engine/ptrace/structures.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <utime.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>

// Linux: arch/x86/include/uapi/asm/stat.h, arch/x86/include/asm/{compat,ia32}.h, fs/{stat,statfs,utimes}.c,
// kernel/{sys,uid16}.c, include/linux/compat.h.
namespace udk::engine {
namespace {

using xlate::Layout;
using xlate::Op;

constexpr std::uint32_t k_overflow_id = 65534;

struct Times32 {
  std::int32_t seconds, fraction;
};

struct Stat32 {
  std::uint32_t dev, ino;
  std::uint16_t mode, nlink, uid, gid;
  std::uint32_t rdev, size, blksize, blocks;
  Times32 atime, mtime, ctime;
  std::uint32_t unused[2];
};
static_assert(sizeof(Stat32) == 64);

struct [[gnu::packed]] Stat64 {
  std::uint64_t dev;
  std::uint32_t pad0, low_ino, mode, nlink, uid, gid;
  std::uint64_t rdev;
  std::uint32_t pad3;
  std::int64_t size;
  std::uint32_t blksize;
  std::int64_t blocks;
  Times32 atime, mtime, ctime;
  std::uint64_t ino;
};
static_assert(sizeof(Stat64) == 96);

struct OldStat {
  std::uint16_t dev, ino, mode, nlink, uid, gid, rdev;
  std::uint32_t size, atime, mtime, ctime;
};
static_assert(sizeof(OldStat) == 32);

struct Statfs32 {
  std::uint32_t type, bsize, blocks, bfree, bavail, files, ffree;
  fsid_t fsid;
  std::uint32_t namelen, frsize, flags, spare[4];
};
static_assert(sizeof(Statfs32) == 64);

struct [[gnu::packed]] Statfs64 {
  std::uint32_t type, bsize;
  std::uint64_t blocks, bfree, bavail, files, ffree;
  fsid_t fsid;
  std::uint32_t namelen, frsize, flags, spare[4];
};
static_assert(sizeof(Statfs64) == 84);

// Stores a value in a field that may be smaller; `fits` remembers whether everything did.
template <class Field, class Value>
Field narrowed(Value value, bool& fits) {
  const auto field = static_cast<Field>(value);
  if (static_cast<Value>(field) != value) fits = false;
  return field;
}
template <class Field, class Value>
Field cut(Value value) {
  return static_cast<Field>(value);
}

std::uint16_t short_id(std::uint32_t id) { return static_cast<std::uint16_t>(id > 0xffff ? k_overflow_id : id); }

Times32 short_time(const timespec& t) { return {cut<std::int32_t>(t.tv_sec), cut<std::int32_t>(t.tv_nsec)}; }

int write_stat32(pid_t tid, Word at, const struct stat& st) {
  bool fits = st.st_size <= std::numeric_limits<std::int32_t>::max();
  Stat32 out{};
  out.dev = cut<std::uint32_t>(st.st_dev);
  out.ino = narrowed<std::uint32_t>(st.st_ino, fits);
  out.mode = cut<std::uint16_t>(st.st_mode);
  out.nlink = narrowed<std::uint16_t>(st.st_nlink, fits);
  out.uid = short_id(st.st_uid);
  out.gid = short_id(st.st_gid);
  out.rdev = cut<std::uint32_t>(st.st_rdev);
  out.size = cut<std::uint32_t>(st.st_size);
  out.blksize = cut<std::uint32_t>(st.st_blksize);
  out.blocks = cut<std::uint32_t>(st.st_blocks);
  out.atime = short_time(st.st_atim);
  out.mtime = short_time(st.st_mtim);
  out.ctime = short_time(st.st_ctim);
  return fits ? write_object(tid, at, out) : -EOVERFLOW;
}

int write_stat64(pid_t tid, Word at, const struct stat& st) {
  Stat64 out{};
  out.dev = st.st_dev;
  out.low_ino = cut<std::uint32_t>(st.st_ino);
  out.mode = st.st_mode;
  out.nlink = cut<std::uint32_t>(st.st_nlink);
  out.uid = st.st_uid;
  out.gid = st.st_gid;
  out.rdev = st.st_rdev;
  out.size = st.st_size;
  out.blksize = cut<std::uint32_t>(st.st_blksize);
  out.blocks = st.st_blocks;
  out.atime = short_time(st.st_atim);
  out.mtime = short_time(st.st_mtim);
  out.ctime = short_time(st.st_ctim);
  out.ino = st.st_ino;
  return write_object(tid, at, out);
}

int write_old_stat(pid_t tid, Word at, const struct stat& st) {
  bool fits = true;
  OldStat out{};
  out.dev = cut<std::uint16_t>(st.st_dev);
  out.ino = narrowed<std::uint16_t>(st.st_ino, fits);
  out.mode = cut<std::uint16_t>(st.st_mode);
  out.nlink = narrowed<std::uint16_t>(st.st_nlink, fits);
  out.uid = short_id(st.st_uid);
  out.gid = short_id(st.st_gid);
  out.rdev = cut<std::uint16_t>(st.st_rdev);
  out.size = cut<std::uint32_t>(st.st_size);
  out.atime = cut<std::uint32_t>(st.st_atim.tv_sec);
  out.mtime = cut<std::uint32_t>(st.st_mtim.tv_sec);
  out.ctime = cut<std::uint32_t>(st.st_ctim.tv_sec);
  return fits ? write_object(tid, at, out) : -EOVERFLOW;
}

// Numbers of files that are not known are -1, which stays what it is.
std::uint32_t file_count(std::uint64_t value, bool& fits) {
  return ~value == 0 ? ~std::uint32_t{0} : narrowed<std::uint32_t>(value, fits);
}

int write_statfs32(pid_t tid, Word at, const struct statfs& st) {
  bool fits = true;
  Statfs32 out{};
  out.type = cut<std::uint32_t>(st.f_type);
  out.bsize = narrowed<std::uint32_t>(st.f_bsize, fits);
  out.blocks = narrowed<std::uint32_t>(st.f_blocks, fits);
  out.bfree = narrowed<std::uint32_t>(st.f_bfree, fits);
  out.bavail = narrowed<std::uint32_t>(st.f_bavail, fits);
  out.files = file_count(st.f_files, fits);
  out.ffree = file_count(st.f_ffree, fits);
  out.fsid = st.f_fsid;
  out.namelen = cut<std::uint32_t>(st.f_namelen);
  out.frsize = narrowed<std::uint32_t>(st.f_frsize, fits);
  out.flags = cut<std::uint32_t>(st.f_flags);
  return fits ? write_object(tid, at, out) : -EOVERFLOW;
}

int write_statfs64(pid_t tid, Word at, const struct statfs& st) {
  bool fits = true;
  Statfs64 out{};
  out.type = cut<std::uint32_t>(st.f_type);
  out.bsize = narrowed<std::uint32_t>(st.f_bsize, fits);
  out.blocks = st.f_blocks;
  out.bfree = st.f_bfree;
  out.bavail = st.f_bavail;
  out.files = st.f_files;
  out.ffree = st.f_ffree;
  out.fsid = st.f_fsid;
  out.namelen = cut<std::uint32_t>(st.f_namelen);
  out.frsize = narrowed<std::uint32_t>(st.f_frsize, fits);
  out.flags = cut<std::uint32_t>(st.f_flags);
  return fits ? write_object(tid, at, out) : -EOVERFLOW;
}

// Two times of the guest: Part is what a second and its fraction are stored in.
template <class Part>
int read_pairs(pid_t tid, Word at, std::array<timespec, 2>& times) {
  std::array<std::array<Part, 2>, 2> pairs{};
  const int e = read_object(tid, at, pairs);
  for (std::size_t i = 0; i < 2; ++i) times[i] = {pairs[i][0], pairs[i][1]};
  return e;
}

template <class Part>
int read_seconds(pid_t tid, Word at, std::array<timespec, 2>& times) {
  std::array<Part, 2> seconds{};
  const int e = read_object(tid, at, seconds);
  times = {timespec{seconds[0], 0}, timespec{seconds[1], 0}};
  return e;
}

// The texts of utsname behind each other with `size` bytes each.
int write_old_names(CallStop& stop, Word at, const utsname& names, std::size_t size) {
  std::string out;
  for (const char* text : {names.sysname, names.nodename, names.release, names.version, names.machine}) {
    std::string field(text, ::strnlen(text, size - 1));
    field.resize(size);
    out += field;
  }
  return write_memory(stop.task.tid, at, out.data(), out.size());
}

}  // namespace

int write_stat(CallStop& stop, Word at, const struct stat& st) {
  const pid_t tid = stop.task.tid;
  if (stop.abi == Abi::x86_64) return write_object(tid, at, st);
  if (stop.call.layout == Layout::wide) return write_stat64(tid, at, st);
  return stop.call.layout == Layout::old ? write_old_stat(tid, at, st) : write_stat32(tid, at, st);
}

int write_statfs(CallStop& stop, Word at, const struct statfs& st) {
  if (stop.abi == Abi::x86_64) return write_object(stop.task.tid, at, st);
  if (stop.call.layout == Layout::wide) return write_statfs64(stop.task.tid, at, st);
  return write_statfs32(stop.task.tid, at, st);
}

int write_names(CallStop& stop, Word at, const utsname& names) {
  constexpr std::size_t k_old_size = 65;
  constexpr std::size_t k_oldest_size = 9;
  if (stop.call.layout == Layout::old) return write_old_names(stop, at, names, k_old_size);
  if (stop.call.layout == Layout::oldest) return write_old_names(stop, at, names, k_oldest_size);
  return write_object(stop.task.tid, at, names);
}

int read_times(CallStop& stop, Word at, std::array<timespec, 2>& times) {
  const pid_t tid = stop.task.tid;
  const bool wide = stop.abi == Abi::x86_64 || stop.call.layout == Layout::wide;
  if (stop.call.op == Op::utime)
    return wide ? read_seconds<std::int64_t>(tid, at, times) : read_seconds<std::int32_t>(tid, at, times);
  const int e = wide ? read_pairs<std::int64_t>(tid, at, times) : read_pairs<std::int32_t>(tid, at, times);
  if (e != 0) return e;
  for (timespec& time : times) {
    if (stop.call.op == Op::utimes) {
      if (time.tv_nsec < 0 || time.tv_nsec >= 1000000) return -EINVAL;
      time.tv_nsec *= 1000;
    } else if (stop.abi == Abi::i386) {
      time.tv_nsec = static_cast<std::uint32_t>(time.tv_nsec);  // what is above it is padding
    }
  }
  return 0;
}

std::size_t id_size(const CallStop& stop) { return stop.call.layout == Layout::short_ids ? 2 : 4; }

std::uint32_t id_arg(CallStop& stop, int i) {
  const auto id = static_cast<std::uint32_t>(stop.arg(i));
  if (id_size(stop) == sizeof id) return id;
  const auto low = static_cast<std::uint16_t>(id);
  return low == 0xffff ? ~std::uint32_t{0} : low;
}

std::uint32_t shown_id(const CallStop& stop, std::uint32_t id) {
  return id_size(stop) == sizeof id ? id : short_id(id);
}

int write_ids(CallStop& stop, Word at, const std::vector<gid_t>& ids) {
  if (id_size(stop) == sizeof(gid_t)) return write_memory(stop.task.tid, at, ids.data(), ids.size() * sizeof(gid_t));
  std::vector<std::uint16_t> narrow(ids.size());
  std::transform(ids.begin(), ids.end(), narrow.begin(), short_id);
  return write_memory(stop.task.tid, at, narrow.data(), narrow.size() * sizeof narrow[0]);
}

int read_ids(CallStop& stop, Word at, std::vector<gid_t>& ids) {
  if (id_size(stop) == sizeof(gid_t)) return read_memory(stop.task.tid, at, ids.data(), ids.size() * sizeof(gid_t));
  std::vector<std::uint16_t> narrow(ids.size());
  const int e = read_memory(stop.task.tid, at, narrow.data(), narrow.size() * sizeof narrow[0]);
  std::copy(narrow.begin(), narrow.end(), ids.begin());
  return e;
}

const MessageLayout& message_layout(Abi abi) {
  static constexpr MessageLayout layouts[] = {
      {sizeof(msghdr), offsetof(msghdr, msg_namelen), offsetof(msghdr, msg_control), sizeof(mmsghdr),
       offsetof(mmsghdr, msg_len)},
      {28, 4, 16, 32, 28}};
  return layouts[static_cast<std::size_t>(abi)];
}

}  // namespace udk::engine
