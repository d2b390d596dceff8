#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "engine/ptrace/call_stop.hpp"
#include "engine/ptrace/ownership.hpp"

// Calls on names: made by the tracer in the guest's place, since nothing of the guest but its view matters to them.
namespace udk::engine {
namespace {

using xlate::Final;
using xlate::Last;
using xlate::Op;
using xlate::Resolution;

long result_of(long returned) { return returned < 0 ? -errno : returned; }

// A file and its name before a call that may take the name away.
struct Doomed {
  Doomed(Run& run, const Resolution& at) : owners(run.owners), name(name_of(run, at)) {
    there = !owners.empty() && stat_name(at, st) == 0;
  }
  void gone() const {
    if (there) owners.removed(st, name.path, S_ISDIR(st.st_mode) || st.st_nlink <= 1);
  }
  OwnerTable& owners;
  FileName name;
  struct stat st {};
  bool there = false;
};

// What Linux answers for names that are no names.
int check_name(const Resolution& at, int dot, int dotdot, int root) {
  switch (at.last) {
    case Last::dot:
      return dot;
    case Last::dotdot:
      return dotdot;
    case Last::root:
      return root;
    default:
      return 0;
  }
}

bool is_directory(const Resolution& at) {
  struct stat st {};
  return stat_name(at, st) == 0 && S_ISDIR(st.st_mode);
}

// A mount point cannot be removed.
int check_mount_point(const Resolution& at, bool directory) {
  if (!at.mount_point || !at.named()) return 0;
  if (directory) return is_directory(at) ? -EBUSY : -ENOTDIR;
  if (is_directory(at)) return -EISDIR;
  return at.trailing_slash ? -ENOTDIR : -EBUSY;
}

int check_removal(CallStop& stop, const Resolution& at, bool directory) {
  const int bad = directory ? check_name(at, -EINVAL, -ENOTEMPTY, -EBUSY) : check_name(at, -EISDIR, -EISDIR, -EISDIR);
  if (bad != 0) return bad;
  if (read_only_name(stop.run, at)) return -EROFS;
  if (const int e = check_mount_point(at, directory); e != 0) return e;
  if (directory && at.named() && stop.run.lookup.table().has_below(at.guest.view())) return -ENOTEMPTY;
  return check_folder_change(stop, at, true);
}

Next on_remove(CallStop& stop, bool directory) {
  Run& run = stop.run;
  const Resolution& at = run.at;
  if (const int e = locate(stop, Final::parent); e != 0) return answer(stop, e);
  if (const int own = check_removal(stop, at, directory); own != 0) {
    const int e = stop.run.lookup.check_parent(at);
    return answer(stop, e != 0 ? e : own);
  }
  const Doomed doomed(run, at);
  const long result = result_of(::unlinkat(AT_FDCWD, at.host.c_str(), directory ? AT_REMOVEDIR : 0));
  if (result == 0) {
    run.lookup.name_changed(at);
    doomed.gone();
  }
  return answer(stop, result);
}

Next on_unlink(CallStop& stop) {
  const unsigned flags = stop.flags();
  if ((flags & ~static_cast<unsigned>(AT_REMOVEDIR)) != 0) return answer(stop, -EINVAL);
  return on_remove(stop, (flags & AT_REMOVEDIR) != 0);
}

// The second path of the row, into run.at2.
int locate_second(CallStop& stop, Final final) {
  Run& run = stop.run;
  if (const int e = fetch_path(stop, stop.call.path2, run.text2); e != 0) return e;
  return run.lookup.path(stop.task, stop.dir_arg(stop.call.dir2), run.text2.view(), final, 0, run.at2);
}

long make_rename(CallStop& stop, unsigned flags) {
  Run& run = stop.run;
  const char* from = run.at.host.c_str();
  const char* to = run.at2.host.c_str();
  const Doomed replaced(run, run.at2);
  const Doomed moved(run, run.at);
  const long result =
      result_of(flags == 0 ? ::rename(from, to) : ::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags));
  if (result == 0) run.lookup.name_changed(run.at, true);
  if (result != 0 || !moved.there) return result;
  const bool same =
      moved.there && replaced.there && moved.st.st_ino == replaced.st.st_ino && moved.st.st_dev == replaced.st.st_dev;
  if (same) return result;  // two names of one file: both stay
  const bool named = moved.name.path && replaced.name.path;
  if ((flags & RENAME_EXCHANGE) != 0) {
    if (named) run.owners.exchanged(*moved.name.path, *replaced.name.path, moved.name.kept);
    return result;
  }
  replaced.gone();
  if (named) {
    run.owners.renamed(*moved.name.path, *replaced.name.path, moved.name.kept);
    return result;
  }
  run.owners.removed(moved.st, moved.name.path, false);  // it has gone where names are not known, or comes from there
  if (replaced.name.path) run.owners.linked(moved.st, *replaced.name.path, replaced.name.kept);
  return result;
}

// What vfs_rename() of Linux looks at before it finds that one of the names is a mount point.
int check_renamed_mount(Lookup& lookup, const Resolution& from, const Resolution& to, unsigned flags) {
  struct stat st {};
  const bool exchange = (flags & RENAME_EXCHANGE) != 0;
  if (const int wrong = stat_name(from, st); wrong != 0) return wrong;
  const bool directory = S_ISDIR(st.st_mode);
  const int e = stat_name(to, st);
  if (e != 0 && (e != -ENOENT || lookup.is_removed_parent(to))) return e;
  const bool there = e == 0;
  if (there && (flags & RENAME_NOREPLACE) != 0) return -EEXIST;
  if (!there && exchange) return -ENOENT;
  if (exchange && to.trailing_slash && !S_ISDIR(st.st_mode)) return -ENOTDIR;
  if (!directory && (from.trailing_slash || (!exchange && to.trailing_slash))) return -ENOTDIR;
  if (from.named() && to.named()) {
    if (to.guest.view() == from.guest.view()) return 0;
    if (xlate::is_below(to.guest.view(), from.guest.view())) return -EINVAL;
    if (xlate::is_below(from.guest.view(), to.guest.view())) return exchange ? -EINVAL : -ENOTEMPTY;
  }
  if (there && !exchange && directory != S_ISDIR(st.st_mode)) return directory ? -ENOTDIR : -EISDIR;
  return -EBUSY;
}

// What the guest's mounts forbid; the host has none there.
int check_rename(CallStop& stop, unsigned flags) {
  Run& run = stop.run;
  const xlate::MountTable& table = run.lookup.table();
  if (run.at.name_mount != run.at2.name_mount) return -EXDEV;
  if (run.at.last != Last::name) return -EBUSY;
  if (run.at2.last != Last::name) return (flags & RENAME_NOREPLACE) != 0 ? -EEXIST : -EBUSY;
  if (read_only_name(run, run.at)) return -EROFS;
  for (const Resolution* at : {&run.at, &run.at2}) {
    if (!at->named()) continue;
    if (at->mount_point || table.has_below(at->guest.view()))
      return check_renamed_mount(run.lookup, run.at, run.at2, flags);
  }
  if (const int e = check_folder_change(stop, run.at, true); e != 0) return e;
  return check_recorded_folder(stop, run.at2, W_OK | X_OK);
}

Next on_rename(CallStop& stop) {
  Run& run = stop.run;
  const unsigned flags = stop.flags();
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) != 0 ||
      ((flags & RENAME_EXCHANGE) != 0 && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) != 0))
    return answer(stop, -EINVAL);
  if (const int e = locate(stop, Final::parent); e != 0) return answer(stop, e);
  int own = locate_second(stop, Final::parent);
  const bool found = own == 0;
  if (found) own = check_rename(stop, flags);
  if (own == 0) return answer(stop, make_rename(stop, flags));
  if (const int e = stop.run.lookup.check_parent(run.at); e != 0) return answer(stop, e);
  const int e = found ? stop.run.lookup.check_parent(run.at2) : 0;
  return answer(stop, e != 0 ? e : own);
}

// The source of link(2); with AT_EMPTY_PATH it can be a descriptor. `how`: as linkat(2) shall take the host path.
// `st` is what is there.
int locate_source(CallStop& stop, int& how, struct stat& st) {
  Run& run = stop.run;
  how = 0;
  if (const int e = fetch_path(stop, stop.call.path, run.text); e != 0) return e;
  const int dir = stop.dir_arg(stop.call.dir);
  if (run.text.empty() && (stop.flags() & AT_EMPTY_PATH) != 0) {
    const PathText proc = proc_path(stop.task.tid, dir);
    run.at.host.assign(proc.view());
    run.at.guest.clear();
    run.at.kernel_link = true;
    run.at.nameless = run.at.mount_point = run.at.trailing_slash = false;
    run.at.mount = run.lookup.mount_of_open(stop.task, dir);
    how = AT_SYMLINK_FOLLOW;
    return ::stat(proc.c_str(), &st) == 0 ? 0 : (errno == ENOENT ? -EBADF : -errno);
  }
  if (const int e = run.lookup.path(stop.task, dir, run.text.view(), final_of(stop), 0, run.at); e != 0) return e;
  if (run.at.kernel_link) how = AT_SYMLINK_FOLLOW;  // an open file, perhaps without a name: /proc/self/fd/N
  return ::fstatat(AT_FDCWD, run.at.host.c_str(), &st, how == 0 ? AT_SYMLINK_NOFOLLOW : 0) == 0 ? 0 : -errno;
}

// Whether the guest's view has something to say about a new name that the host would not say.
bool is_special_name(CallStop& stop, const Resolution& at) {
  return at.last != Last::name || (at.mount_point && at.named()) || read_only_name(stop.run, at);
}

Next on_link(CallStop& stop) {
  Run& run = stop.run;
  if ((stop.flags() & ~static_cast<unsigned>(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0) return answer(stop, -EINVAL);
  int how = 0;
  struct stat st {};
  if (const int e = locate_source(stop, how, st); e != 0) return answer(stop, e);
  if (const int e = locate_second(stop, Final::parent); e != 0) return answer(stop, e);
  const bool crosses = run.at.mount != run.at2.name_mount;
  if (crosses || is_special_name(stop, run.at2))
    if (const int e = check_new_name(stop, run.at2); e != 0) return answer(stop, e);
  if (crosses) return answer(stop, -EXDEV);
  if (const int e = check_folder_change(stop, run.at2, false); e != 0) return answer(stop, e);
  (void)run.owners.find(st, name_of(run, run.at).path);
  const long result = result_of(::linkat(AT_FDCWD, run.at.host.c_str(), AT_FDCWD, run.at2.host.c_str(), how));
  if (result == 0) run.lookup.link_made(run.at2);
  const FileName to = name_of(run, run.at2);
  if (result == 0 && to.path) run.owners.linked(st, *to.path, to.kept);
  return answer(stop, result);
}

Next on_symlink(CallStop& stop) {
  Run& run = stop.run;
  if (const int e = fetch_path(stop, 0, run.text2); e != 0) return answer(stop, e);
  if (run.text2.empty()) return answer(stop, -ENOENT);
  if (const int e = locate(stop, Final::parent); e != 0) return answer(stop, e);
  if (is_special_name(stop, run.at))
    if (const int e = check_new_name(stop, run.at); e != 0) return answer(stop, e);
  if (const int e = check_folder_change(stop, run.at, false); e != 0) return answer(stop, e);
  note_creation(stop, run.at, S_IFLNK);
  run.lookup.link_made(run.at);
  return answer(stop, result_of(::symlink(run.text2.c_str(), run.at.host.c_str())));
}

}  // namespace

Next on_name_call(CallStop& stop) {
  switch (stop.call.op) {
    case Op::unlink:
      return on_unlink(stop);
    case Op::rmdir:
      return on_remove(stop, true);
    case Op::rename:
      return on_rename(stop);
    case Op::link:
      return on_link(stop);
    default:
      return on_symlink(stop);
  }
}

}  // namespace udk::engine
