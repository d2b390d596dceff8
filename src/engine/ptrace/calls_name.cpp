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
    there = !owners.empty() && name.path && ::lstat(at.host.c_str(), &st) == 0;
  }
  void gone() const {
    if (there) owners.removed(st, *name.path, S_ISDIR(st.st_mode) || st.st_nlink <= 1);
  }
  OwnerTable& owners;
  FileName name;
  struct stat st {};
  bool there = false;
};

// What Linux answers for names that are no names.
int check_name(const Resolution& at, int dot, int dotdot, int root) {
  if (at.opaque) return 0;
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

Next on_remove(CallStop& stop, bool directory) {
  Run& run = stop.run;
  const Resolution& at = run.at;
  if (const int e = locate(stop, Final::parent); e != 0) return answer(stop, e);
  const int bad = directory ? check_name(at, -EINVAL, -ENOTEMPTY, -EBUSY) : check_name(at, -EISDIR, -EISDIR, -EISDIR);
  if (bad != 0) return answer(stop, bad);
  if (const int e = check_effect(stop, at); e != 0) return answer(stop, e);
  if (directory && at.named() && run.lookup.table().has_below(at.guest.view())) return answer(stop, -ENOTEMPTY);
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
  if (result != 0 || run.owners.empty() || !moved.name.path || !replaced.name.path) return result;
  const bool same =
      moved.there && replaced.there && moved.st.st_ino == replaced.st.st_ino && moved.st.st_dev == replaced.st.st_dev;
  if (same) return result;  // two names of one file: both stay
  if ((flags & RENAME_EXCHANGE) != 0) {
    run.owners.exchanged(*moved.name.path, *replaced.name.path, moved.name.kept);
    return result;
  }
  replaced.gone();
  run.owners.renamed(*moved.name.path, *replaced.name.path, moved.name.kept);
  return result;
}

Next on_rename(CallStop& stop) {
  Run& run = stop.run;
  const unsigned flags = stop.flags();
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) != 0)
    return answer(stop, -EINVAL);
  if (const int e = locate(stop, Final::parent); e != 0) return answer(stop, e);
  if (const int e = locate_second(stop, Final::parent); e != 0) return answer(stop, e);
  for (const Resolution* at : {&run.at, &run.at2}) {
    if (check_name(*at, -EBUSY, -EBUSY, -EBUSY) != 0) return answer(stop, -EBUSY);
    if (at->mount_point) return answer(stop, -EBUSY);
  }
  if (run.at.mount != run.at2.mount) return answer(stop, -EXDEV);
  for (const Resolution* at : {&run.at, &run.at2}) {
    if (const int e = check_effect(stop, *at); e != 0) return answer(stop, e);
    if (at->named() && run.lookup.table().has_below(at->guest.view())) return answer(stop, -EBUSY);
  }
  return answer(stop, make_rename(stop, flags));
}

// The source of link(2); with AT_EMPTY_PATH it can be a descriptor.
int locate_source(CallStop& stop, int& how) {
  Run& run = stop.run;
  how = 0;
  if (const int e = fetch_path(stop, stop.call.path, run.text); e != 0) return e;
  const int dir = stop.dir_arg(stop.call.dir);
  if (run.text.empty() && (stop.flags() & AT_EMPTY_PATH) != 0) {
    const PathText proc = proc_path(stop.task.tid, dir);
    how = AT_SYMLINK_FOLLOW;
    run.at.host.assign(proc.view());
    run.at.opaque = true;
    run.at.mount = run.at2.mount;
    xlate::GuestPath guest;
    if (run.lookup.directory(stop.task, dir, guest) == 0) run.at.mount = run.lookup.table().covering(guest.view());
    return 0;
  }
  const int e = run.lookup.path(stop.task, dir, run.text.view(), final_of(stop), 0, run.at);
  if (run.at.kernel_link) {  // an open file, perhaps without a name: /proc/self/fd/N
    how = AT_SYMLINK_FOLLOW;
    if (e == 0 && run.at.mount == 0) run.at.mount = run.at2.mount;
  }
  return e;
}

Next on_link(CallStop& stop) {
  Run& run = stop.run;
  if ((stop.flags() & ~static_cast<unsigned>(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0) return answer(stop, -EINVAL);
  if (const int e = locate_second(stop, Final::parent); e != 0) return answer(stop, e);
  int how = 0;
  if (const int e = locate_source(stop, how); e != 0) return answer(stop, e);
  struct stat st {};
  if (::fstatat(AT_FDCWD, run.at.host.c_str(), &st, how == 0 ? AT_SYMLINK_NOFOLLOW : 0) != 0)
    return answer(stop, -errno);
  if (check_name(run.at2, -EEXIST, -EEXIST, -EEXIST) != 0) return answer(stop, -EEXIST);
  if (const int e = check_effect(stop, run.at2); e != 0) return answer(stop, e);
  if (run.at2.mount_point && run.at2.named()) return answer(stop, -EEXIST);
  if (run.at.mount != run.at2.mount) return answer(stop, -EXDEV);
  (void)run.owners.find(st, name_of(run, run.at).path);
  const long result = result_of(::linkat(AT_FDCWD, run.at.host.c_str(), AT_FDCWD, run.at2.host.c_str(), how));
  if (result == 0) run.lookup.name_changed(run.at2);
  const FileName to = name_of(run, run.at2);
  if (result == 0 && to.path) run.owners.linked(st, *to.path, to.kept);
  return answer(stop, result);
}

Next on_symlink(CallStop& stop) {
  Run& run = stop.run;
  if (const int e = fetch_path(stop, 0, run.text2); e != 0) return answer(stop, e);
  if (run.text2.empty()) return answer(stop, -ENOENT);
  if (const int e = locate(stop, Final::parent); e != 0) return answer(stop, e);
  if (check_name(run.at, -EEXIST, -EEXIST, -EEXIST) != 0) return answer(stop, -EEXIST);
  if (const int e = check_effect(stop, run.at); e != 0) return answer(stop, e);
  if (run.at.mount_point && run.at.named()) return answer(stop, -EEXIST);
  note_creation(stop, run.at, S_IFLNK);
  run.lookup.name_changed(run.at);
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
