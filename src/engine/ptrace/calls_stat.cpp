#include <fcntl.h>
#include <linux/stat.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/ptrace/call_stop.hpp"
#include "engine/ptrace/ownership.hpp"
#include "engine/ptrace/personality.hpp"
#include "engine/ptrace/structures.hpp"

// Calls that only ask: the tracer asks the host in the guest's place and hands the answer over, which takes one stop.
namespace udk::engine {
namespace {

using xlate::Final;
using xlate::Op;

constexpr Word k_statfs64_size = 84;  // statfs64(2) of i386

// For the calls whose empty path means the descriptor itself: its kernel link; 0 or -errno.
int locate_descriptor(CallStop& stop, int fd) {
  const PathText proc = proc_path(stop.task.tid, fd);
  xlate::Resolution& at = stop.run.at;
  at.host.assign(proc.view());
  at.kernel_link = true;
  at.nameless = at.trailing_slash = at.mount_point = false;
  at.mount = stop.run.view.any_read_only() ? stop.run.lookup.mount_of_open(stop.task, fd) : 0;
  return 0;
}

// The name of what was located: a path, or an open file.
FileName located_name(const Run& run, xlate::GuestPath& buffer) {
  if (run.at.kernel_link && run.owners.empty()) return {};  // nothing could be found by it
  return name_of_located(run, buffer);
}

// locate(), but with AT_EMPTY_PATH an empty or missing path means the descriptor.
int locate_or_descriptor(CallStop& stop) {
  Run& run = stop.run;
  const int dir = stop.dir_arg(stop.call.dir);
  const bool empty_ok = (stop.flags() & AT_EMPTY_PATH) != 0;
  run.text.clear();
  if (empty_ok && stop.arg(stop.call.path) == 0 && stop.call.op != Op::access) return locate_descriptor(stop, dir);
  if (const int e = fetch_path(stop, stop.call.path, run.text); e != 0) return e;
  if (empty_ok && run.text.empty()) return locate_descriptor(stop, dir);
  const int e = run.lookup.path(stop.task, dir, run.text.view(), final_of(stop), 0, run.at);
  return e != 0 ? e : check_recorded_folder(stop, run.at, X_OK);
}

// Links on the way were followed by us; only a kernel link at the end is left to the kernel.
int nofollow(const xlate::Resolution& at) { return at.kernel_link ? 0 : AT_SYMLINK_NOFOLLOW; }

// A descriptor's link is missing if the descriptor is.
int descriptor_error(const CallStop& stop, int error) {
  const xlate::Resolution& at = stop.run.at;
  return at.kernel_link && error == ENOENT && stop.run.text.empty() ? -EBADF : -error;
}

Next give_stat(CallStop& stop, int buffer, unsigned flags) {
  struct stat st {};
  const int how = nofollow(stop.run.at) | static_cast<int>(flags & AT_NO_AUTOMOUNT);
  if (::fstatat(AT_FDCWD, stop.run.at.host.c_str(), &st, how) != 0) return answer(stop, descriptor_error(stop, errno));
  xlate::GuestPath path;
  show(stop.run, st, located_name(stop.run, path));
  return answer(stop, write_stat(stop, stop.arg(buffer), st));
}

Next on_stat(CallStop& stop) {
  const unsigned flags = stop.flags();
  if ((flags & ~static_cast<unsigned>(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) != 0)
    return answer(stop, -EINVAL);
  if (const int e = locate_or_descriptor(stop); e != 0) return answer(stop, e);
  return give_stat(stop, stop.call.path + 1, flags);
}

Next on_fstat(CallStop& stop) {
  stop.run.text.clear();
  if (stop.int_arg(0) < 0) return answer(stop, -EBADF);
  locate_descriptor(stop, stop.int_arg(0));
  return give_stat(stop, 1, 0);
}

// Whether what was located is where a mount of the guest begins.
bool is_mount_root(CallStop& stop) {
  const xlate::Resolution& at = stop.run.at;
  if (!at.kernel_link) return at.mount_point && at.named();
  PathText text;
  xlate::GuestPath guest;
  const xlate::MountTable& table = stop.run.lookup.table();
  return read_kernel_link(without_slashes(at.host.view()).c_str(), text) && table.to_guest(text.view(), guest) &&
         table.at(guest.view()) >= 0;
}

Next on_statx(CallStop& stop) {
  const unsigned flags = stop.flags();
  constexpr unsigned known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
  if ((flags & ~known) != 0 || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE) return answer(stop, -EINVAL);
  if (const int e = locate_or_descriptor(stop); e != 0) return answer(stop, e);
  struct statx st {};
  const unsigned kept = flags & ~static_cast<unsigned>(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
  const int how = nofollow(stop.run.at) | static_cast<int>(kept);
  if (::syscall(SYS_statx, AT_FDCWD, stop.run.at.host.c_str(), how, static_cast<unsigned>(stop.arg(3)), &st) != 0)
    return answer(stop, descriptor_error(stop, errno));
  xlate::GuestPath path;
  show(stop.run, st, located_name(stop.run, path));
  if (is_mount_root(stop)) st.stx_attributes |= st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT;
  return answer(stop, write_object(stop.task.tid, stop.arg(4), st));
}

bool acts_as_root(const CallStop& stop) { return stop.run.emulate_ids && stop.task.credentials->uid.fs == 0; }

// What root may do with a file that is no directory.
long access_of_root(const struct stat& st, int mode) {
  return (mode & X_OK) == 0 || (st.st_mode & 0111) != 0 ? 0 : -EACCES;
}

// The kernel's answer is about the user who runs udocker. For the user's own files the answer that counts is that for
// the emulated ids: the real ones, or with AT_EACCESS the effective ones.
long emulated_access(CallStop& stop, long result, int mode, unsigned flags) {
  Run& run = stop.run;
  if (!run.emulate_ids || mode == F_OK || (result != 0 && result != -EACCES)) return result;
  struct stat st {};
  if (::fstatat(AT_FDCWD, run.at.host.c_str(), &st, nofollow(run.at)) != 0) return -errno;
  if (st.st_uid != run.host_uid) return result;
  if (S_ISLNK(st.st_mode)) return acts_as_root(stop) ? access_of_root(st, mode) : result;  // opened with O_PATH
  xlate::GuestPath path;
  const Belief belief = belief_of(run, st, located_name(stop.run, path));
  const Credentials& c = *stop.task.credentials;
  const bool effective = (flags & AT_EACCESS) != 0;
  return check_mode(c, effective ? c.uid.fs : c.uid.real, effective ? c.gid.fs : c.gid.real, belief, st.st_mode, mode);
}

// Links allow everything, but for those of /proc, about which Linux 5.8 can be asked.
long access_to_link(CallStop& stop, const struct stat& st, int mode) {
  if (acts_as_root(stop)) return access_of_root(st, mode);
  const long result = ::syscall(SYS_faccessat2, AT_FDCWD, stop.run.at.host.c_str(), mode, AT_SYMLINK_NOFOLLOW);
  return result == 0 || errno == ENOSYS ? 0 : -errno;
}

Next on_access(CallStop& stop) {
  const int mode = stop.int_arg(stop.call.path + 1);
  const unsigned flags = stop.flags();
  if ((mode & ~(R_OK | W_OK | X_OK)) != 0) return answer(stop, -EINVAL);
  if ((flags & ~static_cast<unsigned>(AT_SYMLINK_NOFOLLOW | AT_EACCESS | AT_EMPTY_PATH)) != 0)
    return answer(stop, -EINVAL);
  if (const int e = locate_or_descriptor(stop); e != 0) return answer(stop, e);
  const xlate::Resolution& at = stop.run.at;
  const char* host = at.host.c_str();
  long result = ::syscall(SYS_faccessat, AT_FDCWD, host, mode);
  if (result != 0) result = descriptor_error(stop, errno);
  if ((flags & AT_SYMLINK_NOFOLLOW) != 0 && !at.kernel_link) {  // faccessat(2) itself follows
    struct stat st {};
    if (::lstat(host, &st) == 0 && S_ISLNK(st.st_mode)) result = access_to_link(stop, st, mode);
  }
  result = emulated_access(stop, result, mode, flags);
  if (result == 0 && (mode & W_OK) != 0 && stop.run.lookup.table()[at.mount].read_only) {
    struct stat st {};
    const bool there = ::fstatat(AT_FDCWD, host, &st, nofollow(at)) == 0;
    if (there && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))) result = -EROFS;
  }
  return answer(stop, result);
}

// readlinkat(fd, ""): the link that was opened with O_PATH | O_NOFOLLOW.
int text_of_open_link(CallStop& stop, PathText& text) {
  const PathText proc = proc_path(stop.task.tid, stop.dir_arg(stop.call.dir));
  const Fd link(::open(proc.c_str(), O_PATH | O_CLOEXEC));
  if (!link) return errno == ENOENT ? -EBADF : -errno;
  xlate::Resolution& at = stop.run.at;
  if (read_kernel_link(proc.c_str(), text) && text.view().starts_with("/proc/")) {  // perhaps one of the kernel's links
    at.host.assign(text.view());
    if (const int e = stop.run.lookup.link_text(stop.task, at, text); e != -EINVAL) return e;
  }
  const ssize_t n = ::readlinkat(link.get(), "", text.data(), text.capacity());
  if (n < 0) return errno == EINVAL ? -ENOENT : -errno;
  text.set_size(static_cast<std::size_t>(n));
  return 0;
}

Next on_readlink(CallStop& stop) {
  Run& run = stop.run;
  const int buffer = stop.call.path + 1;
  const int size = stop.int_arg(buffer + 1);
  if (size <= 0) return answer(stop, -EINVAL);
  if (const int e = fetch_path(stop, stop.call.path, run.text); e != 0) return answer(stop, e);
  int e = 0;
  if (run.text.empty() && stop.call.dir >= 0) {
    e = text_of_open_link(stop, run.text2);
  } else {
    e = run.lookup.path(stop.task, stop.dir_arg(stop.call.dir), run.text.view(), Final::keep, 0, run.at);
    if (e == 0) e = run.lookup.link_text(stop.task, run.at, run.text2);
  }
  if (e != 0) return answer(stop, e);
  const std::size_t n = std::min(run.text2.size(), static_cast<std::size_t>(size));
  e = write_memory(stop.task.tid, stop.arg(buffer), run.text2.c_str(), n);
  return answer(stop, e != 0 ? e : static_cast<long>(n));
}

Next on_statfs(CallStop& stop) {
  const bool sized = stop.call.layout == xlate::Layout::wide;  // says how large the structure is
  if (sized && stop.arg(1) != k_statfs64_size) return answer(stop, -EINVAL);
  stop.run.text.clear();
  if (stop.call.path < 0)
    locate_descriptor(stop, stop.int_arg(0));
  else if (const int e = locate(stop, Final::follow); e != 0)
    return answer(stop, e);
  struct statfs st {};
  if (::statfs(stop.run.at.host.c_str(), &st) != 0) return answer(stop, descriptor_error(stop, errno));
  if (stop.run.lookup.table()[stop.run.at.mount].read_only) st.f_flags |= ST_RDONLY;
  return answer(stop, write_statfs(stop, stop.arg(sized ? 2 : 1), st));
}

Next on_getcwd(CallStop& stop) {
  Run& run = stop.run;
  if (const int e = run.lookup.directory(stop.task, AT_FDCWD, run.at.guest); e != 0) return answer(stop, e);
  std::string_view path = run.at.guest.view();
  const std::string& root = stop.task.fs->root;
  if (xlate::is_below(path, root))
    path = xlate::tail(path, root.size());
  else if (!run.text.assign("(unreachable)") || !run.text.append(path))  // outside of a chroot, as Linux says it
    return answer(stop, -ENAMETOOLONG);
  else
    path = run.text.view();
  if (path.empty()) path = "/";
  if (path.size() >= xlate::k_path_max) return answer(stop, -ENAMETOOLONG);
  if (path.size() + 1 > stop.arg(1)) return answer(stop, -ERANGE);
  if (!run.text2.assign(path)) return answer(stop, -ENAMETOOLONG);
  const int e = write_memory(stop.task.tid, stop.arg(0), run.text2.c_str(), path.size() + 1);
  return answer(stop, e != 0 ? e : static_cast<long>(path.size() + 1));
}

Next on_uname(CallStop& stop) {
  utsname names{};
  if (::uname(&names) != 0) return answer(stop, -errno);
  const std::string& release = stop.run.spec.kernel_release;
  std::memset(names.release, 0, sizeof names.release);
  std::memcpy(names.release, release.data(), std::min(release.size(), sizeof names.release - 1));
  if ((personality_of(stop.task.tid) & PER_MASK) == PER_LINUX32) std::strcpy(names.machine, "i686");
  return answer(stop, write_names(stop, stop.arg(0), names));
}

}  // namespace

Next on_stat_call(CallStop& stop) {
  switch (stop.call.op) {
    case Op::stat:
      return on_stat(stop);
    case Op::statx:
      return on_statx(stop);
    case Op::fstat:
      return on_fstat(stop);
    case Op::access:
      return on_access(stop);
    case Op::readlink:
      return on_readlink(stop);
    case Op::statfs:
      return on_statfs(stop);
    case Op::getcwd:
      return on_getcwd(stop);
    default:
      return on_uname(stop);
  }
}

}  // namespace udk::engine
