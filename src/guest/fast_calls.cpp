#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "guest/layout.hpp"

// Calls that only ask about files, made by the guest itself: what is found here must be what the engine would have
// answered. Whatever is not certain is left to it: fast() says no, and the guest makes its call at its own place.
// Runs on a slot's stack in any thread of the guest at any moment; bad pointers of the guest end in a SIGSEGV that the
// engine turns into "no".
extern "C" {
extern __attribute__((visibility("hidden"))) udk::guest::Data udk_data;
__attribute__((visibility("hidden"))) long udk_gate(long number, long a, long b, long c, long d, long e);
__attribute__((visibility("hidden"))) long udk_gate_open(long dir, const char* path, long flags,
                                                         udk::guest::Slot* slot);
__attribute__((visibility("hidden"))) int udk_fast(udk::guest::Slot* slot);

void* memcpy(void* to, const void* from, std::size_t size) {
  void* const out = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return out;
}
}

namespace udk::guest {
namespace {

constexpr long k_enoent = -2, k_einval = -22;
constexpr unsigned k_type = 0170000, k_link = 0120000, k_regular = 0100000, k_directory = 0040000;
constexpr std::size_t k_longest_link = sizeof(Slot::answer);

template <class T>
long word(T* pointer) {
  return reinterpret_cast<long>(pointer);
}

const View* map_view() {
  if (udk_data.view != 0) return reinterpret_cast<const View*>(udk_data.view);
  constexpr long k_read = 1, k_shared_noreplace = 0x100001;
  const long fd = udk_gate(__NR_openat, AT_FDCWD, word(udk_data.view_path), 02000000, 0, 0);  // O_RDONLY | O_CLOEXEC
  if (fd < 0) return nullptr;
  // Six arguments: the offset is 0, as the gate leaves it.
  const long at =
      udk_gate(__NR_mmap, static_cast<long>(udk_data.view_address), sizeof(View), k_read, k_shared_noreplace, fd);
  udk_gate(__NR_close, fd, 0, 0, 0, 0);
  constexpr long k_eexist = -17;  // another thread was faster
  if (at != static_cast<long>(udk_data.view_address) && at != k_eexist) {
    udk_data.allowed = 0;
    return nullptr;
  }
  udk_data.view = udk_data.view_address;
  return reinterpret_cast<const View*>(udk_data.view);
}

// Where a path leads.
struct Place {
  long dir;
  const char* path;
  bool known;  // the directory is one that the engine has looked at
};

bool is_mount_leaf(const View& view, const char* name, std::size_t size) {
  const std::uint64_t hash = hash_text(name, size);
  for (std::uint32_t i = 0; i < view.leaf_count; ++i)
    if (view.leaves[i] == hash) return true;
  return false;
}

std::uint64_t ticks() {
  std::uint32_t low = 0, high = 0;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return std::uint64_t{high} << 32 | low;
}

// Copies where the directory is on the host; 0: not known. The entry may be written meanwhile.
std::size_t find_directory(const View& view, const char* given, std::size_t size, char* host) {
  const Directory& entry = view.directories[hash_text(given, size) % k_directories];
  const volatile std::uint32_t& version = entry.version;
  const std::uint32_t before = version;
  if ((before & 1U) != 0 || entry.given_size != size || size > sizeof entry.given) return 0;
  for (std::size_t i = 0; i < size; ++i)
    if (entry.given[i] != given[i]) return 0;
  const std::size_t host_size = entry.host_size;
  if (host_size == 0 || host_size > sizeof entry.host) return 0;
  memcpy(host, entry.host, host_size);
  const bool valid = entry.generation == view.generation && (entry.follows == 0 || entry.links == view.links) &&
                     ticks() < entry.deadline;
  asm volatile("" : : : "memory");
  return valid && version == before ? host_size : 0;
}

bool is_name(const char* name, std::size_t size) {
  return size != 0 && !(name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.')));
}

bool locate(const View& view, Slot& slot, long dir, std::uint64_t pointer, Place& place) {
  const char* const from = reinterpret_cast<const char*>(pointer);
  std::size_t size = 0, leaf = 0;
  for (;; ++size) {
    if (size == sizeof slot.given) return false;
    const char c = slot.given[size] = from[size];
    if (c == '\0') break;
    if (c == '/') leaf = size + 1;
  }
  const std::size_t leaf_size = size - leaf;
  if (!is_name(slot.given + leaf, leaf_size) || is_mount_leaf(view, slot.given + leaf, leaf_size)) return false;
  if (leaf == 0) {
    place = {dir, slot.given, false};
    return true;
  }
  if (slot.given[0] != '/') return false;
  const std::size_t host = find_directory(view, slot.given, leaf - 1, slot.host);
  if (host == 0) return false;
  slot.host[host] = '/';
  memcpy(slot.host + host + 1, slot.given + leaf, leaf_size + 1);
  place = {AT_FDCWD, slot.host, true};
  return true;
}

bool believed(const View& view, std::uint64_t device, std::uint64_t inode) {
  const std::uint64_t hash = file_hash(device, inode);
  const std::uint64_t one = hash % k_filter_bits, other = (hash >> 32) % k_filter_bits;
  return (view.believed[one / 64] >> one % 64 & 1U) != 0 && (view.believed[other / 64] >> other % 64 & 1U) != 0;
}

// Whether the file is one of which the kernel says all, but for the owner's name.
bool is_plain(const View& view, std::uint64_t device, std::uint64_t inode) {
  if (device == view.special_dev) return false;
  return view.emulate == 0 || (view.pending == 0 && !believed(view, device, inode));
}

bool give(Slot& slot, long result) {
  slot.result = static_cast<std::uint64_t>(result);
  return true;
}

void show_owner(const View& view, std::uint32_t& uid, std::uint32_t& gid) {
  if (view.emulate == 0) return;
  if (uid == view.host_uid) uid = view.uid;
  if (gid == view.host_gid) gid = view.gid;
}

// 0: looked; 1: the call is answered already (no such file); -1: left to the engine.
int look(const View& view, Slot& slot, const Place& place, struct stat& st) {
  const long e = udk_gate(__NR_newfstatat, place.dir, word(place.path), word(&st), AT_SYMLINK_NOFOLLOW, 0);
  if (e == k_enoent) return give(slot, e) ? 1 : -1;
  return e == 0 && is_plain(view, st.st_dev, st.st_ino) ? 0 : -1;
}

bool fast_stat(const View& view, Slot& slot, long dir, std::uint64_t path, std::uint64_t buffer, std::uint64_t flags) {
  Place place{};
  constexpr std::uint64_t k_nofollow = AT_SYMLINK_NOFOLLOW;
  if ((flags & ~(k_nofollow | AT_NO_AUTOMOUNT)) != 0 || !locate(view, slot, dir, path, place)) return false;
  auto& st = *reinterpret_cast<struct stat*>(slot.answer);
  if (const int looked = look(view, slot, place, st); looked != 0) return looked > 0;
  if ((st.st_mode & k_type) == k_link && (flags & k_nofollow) == 0) return false;
  show_owner(view, st.st_uid, st.st_gid);
  memcpy(reinterpret_cast<void*>(buffer), &st, sizeof st);
  return give(slot, 0);
}

bool fast_fstat(const View& view, Slot& slot, std::uint64_t fd, std::uint64_t buffer) {
  auto& st = *reinterpret_cast<struct stat*>(slot.answer);
  if (udk_gate(__NR_fstat, static_cast<int>(fd), word(&st), 0, 0, 0) != 0) return false;
  if (!is_plain(view, st.st_dev, st.st_ino)) return false;
  show_owner(view, st.st_uid, st.st_gid);
  memcpy(reinterpret_cast<void*>(buffer), &st, sizeof st);
  return give(slot, 0);
}

// newfstatat(2): the C library's fstat(3) too.
bool fast_stat_at(const View& view, Slot& slot) {
  const std::uint64_t flags = static_cast<std::uint32_t>(slot.r10);
  if (flags == AT_EMPTY_PATH && *reinterpret_cast<const char*>(slot.rsi) == '\0')
    return fast_fstat(view, slot, slot.rdi, slot.rdx);
  return fast_stat(view, slot, static_cast<int>(slot.rdi), slot.rsi, slot.rdx, flags);
}

bool fast_statx(const View& view, Slot& slot) {
  Place place{};
  constexpr std::uint64_t k_nofollow = AT_SYMLINK_NOFOLLOW, k_known = k_nofollow | AT_NO_AUTOMOUNT;
  const std::uint64_t flags = static_cast<std::uint32_t>(slot.rdx);
  if ((flags & ~k_known) != 0 || !locate(view, slot, static_cast<int>(slot.rdi), slot.rsi, place)) return false;
  auto& st = *reinterpret_cast<struct statx*>(slot.answer);
  const long mask = static_cast<long>(static_cast<std::uint32_t>(slot.r10));
  const long e =
      udk_gate(__NR_statx, place.dir, word(place.path), static_cast<long>(flags | k_nofollow), mask, word(&st));
  if (e == k_enoent) return give(slot, e);
  if (e != 0) return false;
  const std::uint64_t device = (st.stx_dev_minor & 0xffU) | std::uint64_t{st.stx_dev_major} << 8 |
                               (std::uint64_t{st.stx_dev_minor & ~0xffU}) << 12;
  if (!is_plain(view, device, st.stx_ino)) return false;
  if ((st.stx_mode & k_type) == k_link && (flags & k_nofollow) == 0) return false;
  show_owner(view, st.stx_uid, st.stx_gid);
  memcpy(reinterpret_cast<void*>(slot.r8), &st, sizeof st);
  return give(slot, 0);
}

bool fast_access(const View& view, Slot& slot, long dir, std::uint64_t path, std::uint64_t given) {
  const int mode = static_cast<int>(given);
  constexpr int k_write = 2, k_all = 7;
  Place place{};
  if ((mode & ~k_all) != 0 || ((mode & k_write) != 0 && view.read_only != 0) || !locate(view, slot, dir, path, place))
    return false;
  auto& st = *reinterpret_cast<struct stat*>(slot.answer);
  if (const int looked = look(view, slot, place, st); looked != 0) return looked > 0;
  const unsigned type = st.st_mode & k_type;
  if (type != k_regular && type != k_directory) return false;
  // What the user may do, emulated root may, too.
  if (mode != 0 && udk_gate(__NR_faccessat, place.dir, word(place.path), mode, 0, 0) != 0) return false;
  return give(slot, 0);
}

bool fast_readlink(const View& view, Slot& slot, long dir, std::uint64_t path, std::uint64_t buffer,
                   std::uint64_t size) {
  Place place{};
  const long wanted = static_cast<int>(size);
  if (wanted <= 0 || !locate(view, slot, dir, path, place)) return false;
  if (!place.known) {
    auto& st = *reinterpret_cast<struct stat*>(slot.answer);
    const long e = udk_gate(__NR_newfstatat, place.dir, word(place.path), word(&st), AT_SYMLINK_NOFOLLOW, 0);
    if (e != 0 || st.st_dev == view.special_dev) return false;
  }
  long n = udk_gate(__NR_readlinkat, place.dir, word(place.path), word(slot.answer), k_longest_link, 0);
  if (n == k_enoent || n == k_einval) return give(slot, n);
  if (n < 0 || n == static_cast<long>(k_longest_link)) return false;
  if (n > wanted) n = wanted;
  memcpy(reinterpret_cast<void*>(buffer), slot.answer, static_cast<std::size_t>(n));
  return give(slot, n);
}

bool fast_open(const View& view, Slot& slot, long dir, std::uint64_t path, std::uint64_t given) {
  constexpr std::uint32_t k_flags = O_CLOEXEC | O_DIRECTORY | O_NONBLOCK | O_NOCTTY | O_LARGEFILE | O_NOFOLLOW;
  const auto flags = static_cast<std::uint32_t>(given);
  Place place{};
  if ((flags & ~k_flags) != 0 || !locate(view, slot, dir, path, place)) return false;
  // Only files and directories: nothing here blocks, or means the process that opens it.
  auto& st = *reinterpret_cast<struct stat*>(slot.answer);
  const long e = udk_gate(__NR_newfstatat, place.dir, word(place.path), word(&st), AT_SYMLINK_NOFOLLOW, 0);
  if (e == k_enoent) return give(slot, e);
  const unsigned type = st.st_mode & k_type;
  if (e != 0 || st.st_dev == view.special_dev || (type != k_regular && type != k_directory)) return false;
  const long fd = udk_gate_open(place.dir, place.path, flags | O_NOFOLLOW, &slot);
  if (fd >= 0) return true;
  slot.done = 0;
  return false;
}

bool fast(const View& view, Slot& slot) {
  const auto dir = [](std::uint64_t argument) { return static_cast<long>(static_cast<int>(argument)); };
  switch (slot.rax) {
    case __NR_stat:
      return fast_stat(view, slot, AT_FDCWD, slot.rdi, slot.rsi, 0);
    case __NR_lstat:
      return fast_stat(view, slot, AT_FDCWD, slot.rdi, slot.rsi, AT_SYMLINK_NOFOLLOW);
    case __NR_newfstatat:
      return fast_stat_at(view, slot);
    case __NR_fstat:
      return fast_fstat(view, slot, slot.rdi, slot.rsi);
    case __NR_statx:
      return fast_statx(view, slot);
    case __NR_access:
      return fast_access(view, slot, AT_FDCWD, slot.rdi, slot.rsi);
    case __NR_faccessat:
      return fast_access(view, slot, dir(slot.rdi), slot.rsi, slot.rdx);
    case __NR_readlink:
      return fast_readlink(view, slot, AT_FDCWD, slot.rdi, slot.rsi, slot.rdx);
    case __NR_readlinkat:
      return fast_readlink(view, slot, dir(slot.rdi), slot.rsi, slot.rdx, slot.r10);
    case __NR_open:
      return fast_open(view, slot, AT_FDCWD, slot.rdi, slot.rsi);
    case __NR_openat:
      return fast_open(view, slot, dir(slot.rdi), slot.rsi, slot.rdx);
    default:
      return false;
  }
}

}  // namespace
}  // namespace udk::guest

int udk_fast(udk::guest::Slot* slot) {
  if (udk_data.allowed == 0) return 0;
  const udk::guest::View* const view = udk::guest::map_view();
  return view != nullptr && udk::guest::fast(*view, *slot) ? 1 : 0;
}
