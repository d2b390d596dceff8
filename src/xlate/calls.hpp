#pragma once

#include <cstddef>
#include <cstdint>

// The declared system calls: what each one means to an engine that stands between guest and kernel. The filters, the
// dispatch of both engines and the completeness test are made from the tables of this form (calls_x86_64.hpp,
// calls_i386.hpp).
namespace udk::xlate {

// What has to be done about a call.
enum class Op : std::uint8_t {
  pass,    // nothing: the kernel does it as it is
  refuse,  // answered with `error` by the filter, without a stop
  // Calls with paths that the guest itself must execute (they return a descriptor, use the umask, change its state):
  // the translated path takes the place of the guest's.
  run,
  open,
  open2,
  mkdir,
  mknod,
  truncate,
  chdir,
  exec,
  // Calls whose whole effect or answer the engine can provide on the translated path.
  stat,
  statx,
  fstat,
  access,
  readlink,
  statfs,  // also of a descriptor: a row without a path
  getxattr,
  listxattr,
  getcwd,
  chroot,
  unlink,
  rmdir,
  rename,
  link,
  symlink,
  chmod,
  chown,
  utime,      // struct utimbuf
  utimes,     // struct timeval
  utimensat,  // struct timespec
  // Changes through a descriptor: refused on read-only binds, emulated for root.
  fchmod,
  fchown,
  fchange,
  // Socket addresses (AF_UNIX names are paths).
  bind,
  connect,
  sendto,
  recvfrom,
  sendmsg,
  recvmsg,
  sendmmsg,
  recvmmsg,
  sockname,
  socketcall,  // one of them, by its first argument; the others are in memory
  getsockopt,  // options about credentials
  setsockopt,
  // Directory listings, to which missing mount points are added.
  list,
  seek,
  // Identity.
  getuid,
  geteuid,
  getgid,
  getegid,
  getresuid,
  getresgid,
  getgroups,
  setuid,
  setgid,
  setreuid,
  setregid,
  setresuid,
  setresgid,
  setfsuid,
  setfsgid,
  setgroups,
  capget,
  capset,
  // Processes.
  clone,
  clone3,
  unshare,
  kill,
  // Others.
  uname,
  prctl
};

// Whether a link at the end of the path is followed.
enum class Follow : std::uint8_t {
  always,
  never,
  name,             // the call is about the name itself (create, remove, rename)
  open_flags,       // not with O_NOFOLLOW, nor with O_CREAT | O_EXCL
  unless_nofollow,  // not with AT_SYMLINK_NOFOLLOW
  if_follow,        // only with AT_SYMLINK_FOLLOW
  inotify_flags,    // not with IN_DONT_FOLLOW
  fanotify_flags    // not with FAN_MARK_DONT_FOLLOW
};

// What it does to the file system, for read-only binds and mount points.
enum class Effect : std::uint8_t {
  none,
  change,  // an existing file: EROFS
  create,  // a new name: EEXIST or EROFS
  remove   // a name goes: EROFS, EBUSY on mount points
};

// When the filter reports the call to the engine (for ops other than pass and refuse).
enum class Stop : std::uint8_t {
  always,
  identity,               // only if ids are emulated
  read_only,              // only if a bind is read-only
  identity_or_read_only,  // either
  release,                // only if another kernel release is shown
  argument,               // only if argument `stop_arg` is not null
  listing,                // only if a real directory lacks a mount point
  list_position,          // then, and only if the position (argument `stop_arg`) is one of our own
  prctl_option,           // only for the options that an engine must know
  socketcall,             // only for the socket calls that an engine must see
  clone_flags,            // only if argument `stop_arg` has CLONE_UNTRACED; EPERM if it asks for a new namespace
  no_listener,            // never; EINVAL if a filter's calls shall go to another process (seccomp(2))
  no_audit,               // never; if ids are emulated the audit netlink is one that this kernel does not have
  everybody,              // only if argument 0 is -1: kill(2) of all processes
  credential_option       // only if ids are emulated, and only for the socket options about credentials
};

// Which form of a structure the call takes, where a kernel has several.
enum class Layout : std::uint8_t {
  usual,      // the one that belongs to the word size
  wide,       // of a 32-bit program, with 64-bit numbers: struct stat64, statfs64, 64-bit times
  short_ids,  // 16-bit user and group ids
  old,        // an early one: struct __old_kernel_stat, old_utsname, linux_dirent
  oldest      // struct oldold_utsname
};

// One call. Positions of arguments count from 0; -1: has none. A path without `dir` is relative to the current
// directory.
struct Call {
  std::uint16_t number = 0;
  const char* name = nullptr;
  Op op = Op::pass;
  std::int8_t dir = -1;
  std::int8_t path = -1;
  std::int8_t dir2 = -1;
  std::int8_t path2 = -1;
  std::int8_t flags = -1;
  Follow follow = Follow::always;
  Effect effect = Effect::none;
  Stop stop = Stop::always;
  std::int8_t stop_arg = -1;
  std::uint16_t error = 0;
  Layout layout = Layout::usual;
};

// Whether the engine gives the answer of the whole call, or lets it go as it is: the guest's registers stay untouched.
constexpr bool is_answered(Op op) {
  return (op >= Op::stat && op <= Op::fchange) || (op >= Op::getuid && op <= Op::uname);
}

// The open(2) flags of calls that the engine cannot do in the guest's place: what they do depends on the guest's umask
// or on who holds the file open for writing, or (O_PATH) the result cannot be handed over. O_WRONLY, O_RDWR, O_CREAT,
// O_TRUNC, __O_TMPFILE, O_PATH.
inline constexpr std::uint32_t k_open_in_guest = 01 | 02 | 0100 | 01000 | 020000000 | 010000000;

template <std::size_t count>
constexpr bool calls_ascend(const Call (&rows)[count]) {
  for (std::size_t i = 1; i < count; ++i)
    if (rows[i].number <= rows[i - 1].number) return false;
  return true;
}

// The prctl(2) options that do not mean the kernel's state under an engine.
inline constexpr std::uint32_t k_prctl_options[] = {
    3,   // PR_GET_DUMPABLE
    4,   // PR_SET_DUMPABLE: an undumpable process could not be served
    7,   // PR_GET_KEEPCAPS
    8,   // PR_SET_KEEPCAPS
    22,  // PR_SET_SECCOMP: the guest's own filter, which also judges what the engine does in its place
    23,  // PR_CAPBSET_READ
    24,  // PR_CAPBSET_DROP
    26,  // PR_SET_TSC
    27,  // PR_GET_SECUREBITS
    28,  // PR_SET_SECUREBITS
    38,  // PR_SET_NO_NEW_PRIVS
    39,  // PR_GET_NO_NEW_PRIVS: always set under the filter, which is not the guest's doing
    47,  // PR_CAP_AMBIENT
};

// Options are an int: the upper half of the register does not count.
constexpr bool is_special_prctl(std::uint64_t option) {
  for (const std::uint32_t special : k_prctl_options)
    if (static_cast<std::uint32_t>(option) == special) return true;
  return false;
}

// The calls behind socketcall(2) that do not always pass, by its first argument, with the calls of i386 that do the
// same.
struct SocketCall {
  std::uint32_t which;
  std::uint16_t number;
  std::uint8_t count;  // of arguments
};
inline constexpr SocketCall k_socket_calls[] = {
    {1, 359, 3},   // socket
    {2, 361, 3},   // bind
    {3, 362, 3},   // connect
    {5, 364, 3},   // accept: accept4 with the flags 0
    {6, 367, 3},   // getsockname
    {7, 368, 3},   // getpeername
    {11, 369, 6},  // sendto
    {12, 371, 6},  // recvfrom
    {14, 366, 5},  // setsockopt
    {15, 365, 5},  // getsockopt
    {16, 370, 3},  // sendmsg
    {17, 372, 3},  // recvmsg
    {18, 364, 4},  // accept4
    {19, 337, 5},  // recvmmsg
    {20, 345, 4},  // sendmmsg
};

constexpr const SocketCall* find_socket_call(std::uint64_t which) {
  for (const SocketCall& call : k_socket_calls)
    if (call.which == which) return &call;
  return nullptr;
}

// SOL_SOCKET's options about credentials: SO_PASSCRED, SO_PEERCRED, SO_PEERGROUPS.
inline constexpr std::uint32_t k_sol_socket = 1;
inline constexpr std::uint32_t k_credential_options[] = {16, 17, 59};

constexpr bool is_credential_option(std::uint64_t level, std::uint64_t option) {
  if (static_cast<std::uint32_t>(level) != k_sol_socket) return false;
  for (const std::uint32_t special : k_credential_options)
    if (static_cast<std::uint32_t>(option) == special) return true;
  return false;
}

// socket(2) of the audit netlink: programs that find it want real privileges of it, and do without where it is missing.
inline constexpr std::uint32_t k_af_netlink = 16;
inline constexpr std::uint32_t k_netlink_audit = 9;

constexpr bool is_audit_socket(std::uint64_t domain, std::uint64_t protocol) {
  return static_cast<std::uint32_t>(domain) == k_af_netlink && static_cast<std::uint32_t>(protocol) == k_netlink_audit;
}

// Where in a listing the entries are that an engine adds: this number and those behind it, which differ in the lower
// half. No file system has such positions but by chance (ext4's are hashes of 63 bits).
inline constexpr std::uint64_t k_list_position = std::uint64_t{0x7ead1157} << 32;
// The same for callers whose positions have 31 bits.
inline constexpr std::uint32_t k_list_position_i386 = 0x7ead0000;
inline constexpr std::uint32_t k_list_positions_i386 = 0x10000;

// CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
inline constexpr std::uint32_t k_namespace_flags = 0x7e020000U;
// CLONE_NEWTIME, which clone(2) does not know: there the bit belongs to the signal.
inline constexpr std::uint32_t k_new_time = 0x80U;
// CLONE_UNTRACED: the new process would be without an engine.
inline constexpr std::uint32_t k_untraced = 0x00800000U;

// seccomp(2) with a listener: what that lets pass, no other filter would see any more.
inline constexpr std::uint32_t k_set_filter = 1;    // SECCOMP_SET_MODE_FILTER
inline constexpr std::uint32_t k_new_listener = 8;  // SECCOMP_FILTER_FLAG_NEW_LISTENER

// Calls about files that the guest's own runtime can make (src/guest).
constexpr bool is_asked_in_guest(Op op) {
  return op == Op::stat || op == Op::statx || op == Op::fstat || op == Op::access || op == Op::readlink ||
         op == Op::open;
}
constexpr bool is_new_listener(std::uint64_t operation, std::uint64_t flags) {
  return static_cast<std::uint32_t>(operation) == k_set_filter && (flags & k_new_listener) != 0;
}

}  // namespace udk::xlate
