#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "engine/ptrace/call_stop.hpp"
#include "engine/ptrace/ownership.hpp"
#include "engine/ptrace/proc_files.hpp"

// Calls that the guest itself must make, with the host path in place of its own.
namespace udk::engine {
namespace {

using xlate::Final;
using xlate::Op;

// What open(2) does to a file on a read-only mount.
int check_open(const xlate::Resolution& at, unsigned flags, const xlate::MountTable& table) {
  if (!table[at.mount].read_only || (flags & O_PATH) != 0) return 0;
  const unsigned access = flags & O_ACCMODE;
  const bool writes = access == O_WRONLY || access == O_RDWR || (flags & O_TRUNC) != 0;
  const bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  if (!writes && !creates) return 0;
  struct stat st {};
  const bool there = (at.kernel_link ? ::stat : ::lstat)(at.host.c_str(), &st) == 0;
  if (!there)
    return (flags & O_CREAT) != 0 && errno == ENOENT && !at.trailing_slash ? -EROFS
                                                                           : 0;  // otherwise the kernel's own error
  if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) return -EEXIST;
  if (S_ISDIR(st.st_mode)) return (flags & O_TMPFILE) == O_TMPFILE ? -EROFS : 0;
  if ((flags & O_DIRECTORY) != 0) return 0;
  return writes && S_ISREG(st.st_mode) ? -EROFS : 0;
}

// The answer to the creation of a name with a slash behind it, unless its directory is none.
int refuse_slash(Run& run) {
  const int e = run.lookup.check_parent(run.at);
  return e != 0 ? e : -EISDIR;
}

// open(2) creates nothing whose name has a slash behind it, and does not even look what is there.
int locate_open(CallStop& stop, int dir, unsigned flags, unsigned confine) {
  Run& run = stop.run;
  const bool keep = (flags & O_NOFOLLOW) != 0 || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
  const bool creates = (flags & O_CREAT) != 0;
  if (creates) confine |= xlate::k_creates;
  const int e = run.lookup.path(stop.task, dir, run.text.view(), keep ? Final::keep : Final::follow, confine, run.at);
  if (e == 0 && creates && run.at.trailing_slash) return refuse_slash(run);
  return e != 0 ? e : check_recorded_folder(stop, run.at, X_OK);
}

// The kernel looks at the flags before it looks at the path.
Next refuse_open(CallStop& stop, unsigned flags, int error) {
  (void)::syscall(SYS_openat, -1, "", flags, 0);
  return answer(stop, errno == ENOENT ? error : -errno);
}

// Makes a file with another mode than the guest gave: what it gave is only believed.
Next run_with_mode(CallStop& stop, int mode_at, mode_t mode) {
  const xlate::HostPath& host = stop.run.at.host;
  const Word place = put_scratch(stop, host.c_str(), host.size() + 1);
  if (place == 0) return answer(stop, -EFAULT);
  stop.task.at_entry = stop.regs;
  stop.set_arg(stop.call.path, place);
  stop.set_arg(mode_at, mode);
  return Next::watch;
}

// O_TMPFILE: which file it is is known when it is open.
Next open_unnamed(CallStop& stop, Word given) {
  const mode_t mode = (static_cast<mode_t>(given) & 07777) | S_IFREG;
  const bool widened = needs_widening(stop.run, mode);
  if (!widened && stop.run.owners.empty()) return run_with_path(stop, stop.call.path, stop.run.at.host.view());
  stop.task.at_exit = AtExit::unnamed_file;
  stop.task.extra = {mode, 0, 0};
  return run_with_mode(stop, stop.call.flags + 1, widened ? disk_mode(stop.run, mode, false) : mode & 07777);
}

Next on_open(CallStop& stop) {
  unsigned flags = stop.call.flags < 0 ? O_CREAT | O_WRONLY | O_TRUNC : stop.flags();  // creat(2) has none
  if ((flags & O_PATH) != 0) flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;   // the others do not count
  Run& run = stop.run;
  if (fetch_path(stop, stop.call.path, run.text) != 0) return Next::as_is;  // the kernel finds the same
  const int dir = stop.dir_arg(stop.call.dir);
  if (const int e = locate_open(stop, dir, flags, 0); e != 0)
    return run.text.empty() || e == -EBADF ? Next::as_is : refuse_open(stop, flags, e);
  if (const int e = check_open(run.at, flags, run.lookup.table()); e != 0) return refuse_open(stop, flags, e);
  if (const int e = check_recorded_mode(stop, run.at, flags); e != 0) return refuse_open(stop, flags, e);
  if (stop.listener != nullptr) return open_for_guest(stop);
  if (const auto made = proc_file_for(stop, flags)) return run_with_path(stop, stop.call.path, *made);
  if ((flags & O_CREAT) != 0) {
    const int mode_at = stop.call.flags < 0 ? 1 : stop.call.flags + 1;
    const mode_t mode = (static_cast<mode_t>(stop.arg(mode_at)) & 07777) | S_IFREG;
    note_creation(stop, run.at, mode);
    if (needs_widening(run, mode)) return run_with_mode(stop, mode_at, disk_mode(run, mode, false));
  }
  if ((flags & O_TMPFILE) == O_TMPFILE) return open_unnamed(stop, stop.arg(stop.call.flags + 1));
  return run_with_path(stop, stop.call.path, run.at.host.view());
}

unsigned confinement(std::uint64_t resolve) {
  unsigned out = 0;
  if ((resolve & RESOLVE_NO_SYMLINKS) != 0) out |= xlate::k_no_links | xlate::k_no_kernel_links;
  if ((resolve & RESOLVE_NO_MAGICLINKS) != 0) out |= xlate::k_no_kernel_links;
  if ((resolve & RESOLVE_BENEATH) != 0) out |= xlate::k_beneath;
  if ((resolve & RESOLVE_IN_ROOT) != 0) out |= xlate::k_in_start;
  if ((resolve & RESOLVE_NO_XDEV) != 0) out |= xlate::k_one_mount;
  return out;
}

// The arguments of openat2(2).
struct OpenHow {
  open_how how{};
  Word size = 0;
  std::array<unsigned char, 4096> raw{};  // with what later kernels may have added

  int read(CallStop& stop) {
    size = stop.arg(3);
    if (size < sizeof how) return -EINVAL;
    if (size > raw.size()) return -E2BIG;
    if (const int e = read_memory(stop.task.tid, stop.arg(2), raw.data(), size); e != 0) return e;
    std::memcpy(&how, raw.data(), sizeof how);
    // The kernel looks at them before it looks at the path.
    (void)::syscall(SYS_openat2, -1, "", raw.data(), size);
    return errno == ENOENT ? 0 : -errno;
  }
  void write_back() { std::memcpy(raw.data(), &how, sizeof how); }
};

// openat2(2): the walk's restrictions are applied here, in the guest's view; the kernel gets the rest.
Next on_open2(CallStop& stop) {
  OpenHow given;
  if (const int e = given.read(stop); e != 0) return answer(stop, e);
  open_how& how = given.how;
  Run& run = stop.run;
  if (const int e = fetch_path(stop, 1, run.text); e != 0) return answer(stop, e);
  const auto flags = static_cast<unsigned>(how.flags);
  const mode_t mode = (static_cast<mode_t>(how.mode) & 07777) | S_IFREG;
  if (const int e = locate_open(stop, stop.int_arg(0), flags, confinement(how.resolve)); e != 0) return answer(stop, e);
  if (const int e = check_open(run.at, flags, run.lookup.table()); e != 0) return answer(stop, e);
  if (const int e = check_recorded_mode(stop, run.at, flags); e != 0) return answer(stop, e);
  bool changed = (how.resolve & ~std::uint64_t{RESOLVE_CACHED}) != 0;
  const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
  if ((flags & O_CREAT) != 0) note_creation(stop, run.at, mode);
  if (((flags & O_CREAT) != 0 || unnamed) && needs_widening(run, mode)) {
    how.mode = disk_mode(run, mode, false);
    changed = true;
  }
  if (const auto made = proc_file_for(stop, flags)) run.at.host.assign(*made);
  if (unnamed && (changed || !run.owners.empty())) {
    changed = true;
    stop.task.at_exit = AtExit::unnamed_file;
    stop.task.extra = {mode, 0, 0};
  }
  if (!changed) return run_with_path(stop, 1, run.at.host.view());
  how.resolve &= RESOLVE_CACHED;
  given.write_back();
  const Word place = put_scratch(stop, given.raw.data(), given.size, xlate::k_path_max);
  const Word path = put_scratch(stop, run.at.host.c_str(), run.at.host.size() + 1);
  if (place == 0 || path == 0) return answer(stop, -EFAULT);
  stop.task.at_entry = stop.regs;
  stop.set_arg(1, path);
  stop.set_arg(2, place);
  return Next::watch;
}

Next on_chdir(CallStop& stop) {
  Run& run = stop.run;
  if (const int e = locate(stop, Final::follow); e != 0) return answer(stop, e);
  FileSystemState& fs = *stop.task.fs;
  const bool enters = run.lookup.check_dir(run.at.host.view()) == 0;
  if (enters && run.at.named() && !run.at.kernel_link) {
    fs.host_previous.swap(fs.host_cwd);
    fs.guest_previous.swap(fs.guest_cwd);
    xlate::HostPath whole;  // what is handed to the kernel may be a shorter way to it
    std::size_t mount = 0;
    (void)run.lookup.table().to_host(run.at.guest.view(), whole, mount);
    fs.host_cwd = whole.empty() ? "/" : whole.view();
    fs.guest_cwd = run.at.guest.view();
  }
  return run_with_path(stop, 0, run.at.host.view());
}

Next on_chroot(CallStop& stop) {
  Run& run = stop.run;
  if (const int e = locate(stop, Final::follow); e != 0) return answer(stop, e);
  if (const int e = run.lookup.check_dir(run.at.host.view()); e != 0) return answer(stop, e);
  if (!has_capability(*stop.task.credentials, k_cap_sys_chroot)) return answer(stop, -EPERM);
  if (!run.at.named() || run.at.kernel_link) return answer(stop, -EACCES);
  stop.task.fs->root = run.at.guest.view();
  return answer(stop, 0);
}

// What mknod(2) looks at before it looks at the path.
int check_node_type(mode_t mode) {
  switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK:
    case S_IFCHR:
    case S_IFBLK:
      return 0;
    case S_IFDIR:
      return -EPERM;
    default:
      return -EINVAL;
  }
}

bool is_negative_length(CallStop& stop) {
  if (stop.abi == Abi::x86_64) return static_cast<std::int64_t>(stop.arg(1)) < 0;
  return stop.int_arg(stop.call.layout == xlate::Layout::wide ? 2 : 1) < 0;
}

// mkdir(2) and mknod(2). A device node is a plain file on the disk, which the guest believes to be the device.
Next create_node(CallStop& stop) {
  Run& run = stop.run;
  const int mode_at = stop.call.path + 1;
  auto mode = static_cast<mode_t>(stop.arg(mode_at));
  const bool directory = stop.call.op == Op::mkdir;
  if (directory) mode = (mode & 07777) | S_IFDIR;
  if ((mode & S_IFMT) == 0) mode |= S_IFREG;
  const bool device = !directory && (S_ISCHR(mode) || S_ISBLK(mode));
  if (device && run.emulate_ids && !has_capability(*stop.task.credentials, k_cap_mknod)) return answer(stop, -EPERM);
  note_creation(stop, run.at, mode, device ? static_cast<dev_t>(stop.arg(mode_at + 1)) : 0);
  const mode_t type = device && run.emulate_ids ? S_IFREG : mode & S_IFMT;
  if (type == (mode & S_IFMT) && !needs_widening(run, mode))
    return run_with_path(stop, stop.call.path, run.at.host.view());
  return run_with_mode(stop, mode_at, disk_mode(run, mode, directory) | (directory ? 0 : type));
}

// Every other call with a path: only the path changes. An empty one means the descriptor (AT_EMPTY_PATH) or ENOENT.
Next on_run(CallStop& stop) {
  Run& run = stop.run;
  if (fetch_path(stop, stop.call.path, run.text) != 0 || run.text.empty()) return Next::as_is;  // the kernel's errors
  if (stop.call.op == Op::truncate && is_negative_length(stop)) return answer(stop, -EINVAL);
  if (stop.call.op == Op::mknod)
    if (const int e = check_node_type(static_cast<mode_t>(stop.arg(stop.call.path + 1))); e != 0)
      return answer(stop, e);
  if (const int e = run.lookup.path(stop.task, stop.dir_arg(stop.call.dir), run.text.view(), final_of(stop), 0, run.at);
      e != 0)
    return e == -EBADF ? Next::as_is : run_with_error(stop, stop.call.path, e);
  if (const int e = check_effect(stop, run.at); e != 0) return run_with_error(stop, stop.call.path, e);
  if (stop.call.op == Op::mkdir || stop.call.op == Op::mknod) return create_node(stop);
  return run_with_path(stop, stop.call.path, run.at.host.view());
}

}  // namespace

void on_unnamed_exit(Run& run, Task& task, long result) {
  struct stat st {};
  if (result < 0 || ::stat(proc_path(task.tid, static_cast<int>(result)).c_str(), &st) != 0) return;
  settle(run, st, {}, new_file_belief(task, static_cast<mode_t>(task.extra[0])));
}

Next on_path_call(CallStop& stop) {
  switch (stop.call.op) {
    case Op::open:
      return on_open(stop);
    case Op::open2:
      return on_open2(stop);
    case Op::chdir:
      return on_chdir(stop);
    case Op::chroot:
      return on_chroot(stop);
    default:
      return on_run(stop);
  }
}

}  // namespace udk::engine
