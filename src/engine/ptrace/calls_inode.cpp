#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "engine/ptrace/call_stop.hpp"
#include "engine/ptrace/ownership.hpp"
#include "engine/ptrace/structures.hpp"

// Modes, owners and times.
namespace udk::engine {
namespace {

using xlate::Final;
using xlate::Op;
using xlate::Resolution;

bool on_read_only(CallStop& stop, int fd) {
  return stop.run.view.any_read_only() &&
         stop.run.lookup.table()[stop.run.lookup.mount_of_open(stop.task, fd)].read_only;
}

// A change that the kernel makes if the mount allows it.
Next on_change(CallStop& stop, int fd) {
  return on_read_only(stop, fd) && !only_names(stop.task.tid, fd) ? answer(stop, -EROFS) : Next::as_is;
}

// What it means that a file cannot be looked at: without a path it was a descriptor's link.
int missing(const CallStop& stop, int error) { return error == ENOENT && stop.run.text.empty() ? -EBADF : -error; }

// chmod(2) by the rules for the emulated identity.
Next change_believed_mode(CallStop& stop, const char* host, struct stat& st, const FileName& name, mode_t mode) {
  Run& run = stop.run;
  Belief belief = belief_of(run, st, name);
  const Credentials& c = *stop.task.credentials;
  if (!acts_as_owner(c, belief)) return answer(stop, -EPERM);
  if (!in_group(c, belief.owner.gid) && !has_capability(c, k_cap_fsetid)) mode &= ~static_cast<mode_t>(S_ISGID);
  belief.owner.mode = static_cast<std::uint16_t>(mode & 07777);
  // What others own on the host has nowhere to be changed; the guest believes it.
  if (st.st_uid == run.host_uid && belief.type == 0) {
    const mode_t stored = disk_mode(run, mode, S_ISDIR(st.st_mode));
    if (::fchmodat(AT_FDCWD, host, stored, 0) != 0) return answer(stop, -errno);
    st.st_mode = (st.st_mode & S_IFMT) | stored;
  }
  settle(run, st, name, belief);
  return answer(stop, 0);
}

Next change_mode(CallStop& stop, const char* host, bool follow, const FileName& name, mode_t mode) {
  struct stat st {};
  if (::fstatat(AT_FDCWD, host, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) return answer(stop, missing(stop, errno));
  if (S_ISLNK(st.st_mode)) return answer(stop, -EOPNOTSUPP);
  if (stop.run.emulate_ids) return change_believed_mode(stop, host, st, name, mode);
  const int r = ::fchmodat(AT_FDCWD, host, disk_mode(stop.run, mode, S_ISDIR(st.st_mode)), 0);
  return answer(stop, r == 0 ? 0 : -errno);
}

Next on_chmod(CallStop& stop) {
  if (stop.call.flags >= 0 && (stop.flags() & ~static_cast<unsigned>(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
    return answer(stop, -EINVAL);
  Run& run = stop.run;
  if (const int e = fetch_path(stop, stop.call.path, run.text); e != 0) return answer(stop, e);
  const auto mode = static_cast<mode_t>(stop.arg(stop.call.path + 1));
  const int dir = stop.dir_arg(stop.call.dir);
  xlate::GuestPath path;
  if (run.text.empty() && (stop.flags() & AT_EMPTY_PATH) != 0) {
    if (on_read_only(stop, dir)) return answer(stop, -EROFS);
    const PathText proc = proc_path(stop.task.tid, dir);
    return change_mode(stop, proc.c_str(), true, name_of_link(run, proc.c_str(), path), mode);
  }
  if (const int e = run.lookup.path(stop.task, dir, run.text.view(), final_of(stop), 0, run.at); e != 0)
    return answer(stop, e);
  if (const int e = check_effect(stop, run.at); e != 0) return answer(stop, e);
  return change_mode(stop, run.at.host.c_str(), run.at.kernel_link, name_of_located(run, path), mode);
}

Next on_fchmod(CallStop& stop) {
  stop.run.text.clear();
  if (only_names(stop.task.tid, stop.int_arg(0))) return Next::as_is;
  if (on_read_only(stop, stop.int_arg(0))) return answer(stop, -EROFS);
  const auto mode = static_cast<mode_t>(stop.arg(1)) & 07777;
  const bool set_id = (mode & (S_ISUID | S_ISGID)) != 0;
  if (!set_id && !stop.run.emulate_ids) return Next::as_is;
  const PathText proc = proc_path(stop.task.tid, stop.int_arg(0));
  struct stat st {};
  if (::stat(proc.c_str(), &st) != 0) return answer(stop, errno == ENOENT ? -EBADF : -errno);
  if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISFIFO(st.st_mode)) return Next::as_is;
  xlate::GuestPath path;
  return change_mode(stop, proc.c_str(), true, name_of_link(stop.run, proc.c_str(), path), mode);
}

// chown(2) by the rules for the emulated identity.
Next change_owner(CallStop& stop, const char* host, bool follow, const FileName& name, std::uint32_t uid,
                  std::uint32_t gid) {
  struct stat st {};
  if (::fstatat(AT_FDCWD, host, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) return answer(stop, missing(stop, errno));
  Belief belief = belief_of(stop.run, st, name);
  const Credentials& c = *stop.task.credentials;
  if (!has_capability(c, k_cap_chown)) {
    const bool uid_stays = uid == k_unchanged || uid == belief.owner.uid;
    const bool gid_allowed = gid == k_unchanged || gid == belief.owner.gid || in_group(c, gid);
    if (c.uid.fs != belief.owner.uid || !uid_stays || !gid_allowed) return answer(stop, -EPERM);
  }
  if (uid != k_unchanged) belief.owner.uid = uid;
  if (gid != k_unchanged) belief.owner.gid = gid;
  if (S_ISREG(st.st_mode) && (uid != k_unchanged || gid != k_unchanged)) {  // as Linux does it, for root too
    const unsigned lost = (belief.owner.mode & S_IXGRP) != 0 ? S_ISUID | S_ISGID : S_ISUID;
    belief.owner.mode = static_cast<std::uint16_t>(belief.owner.mode & ~lost);
  }
  settle(stop.run, st, name, belief);
  return answer(stop, 0);
}

Next on_chown(CallStop& stop) {
  if (stop.call.flags >= 0 && (stop.flags() & ~static_cast<unsigned>(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
    return answer(stop, -EINVAL);
  Run& run = stop.run;
  if (const int e = fetch_path(stop, stop.call.path, run.text); e != 0) return answer(stop, e);
  const std::uint32_t uid = id_arg(stop, stop.call.path + 1);
  const std::uint32_t gid = id_arg(stop, stop.call.path + 2);
  const int dir = stop.dir_arg(stop.call.dir);
  const bool empty = run.text.empty() && (stop.flags() & AT_EMPTY_PATH) != 0;
  if (empty && on_read_only(stop, dir)) return answer(stop, -EROFS);
  xlate::GuestPath path;
  if (empty && run.emulate_ids) {
    const PathText proc = proc_path(stop.task.tid, dir);
    return change_owner(stop, proc.c_str(), true, name_of_link(run, proc.c_str(), path), uid, gid);
  }
  if (empty) return Next::as_is;
  if (const int e = run.lookup.path(stop.task, dir, run.text.view(), final_of(stop), 0, run.at); e != 0)
    return answer(stop, e);
  if (const int e = check_effect(stop, run.at); e != 0) return answer(stop, e);
  const bool follow = run.at.kernel_link;
  if (run.emulate_ids) return change_owner(stop, run.at.host.c_str(), follow, name_of_located(run, path), uid, gid);
  const int r = ::fchownat(AT_FDCWD, run.at.host.c_str(), uid, gid, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  return answer(stop, r == 0 ? 0 : -errno);
}

Next on_fchown(CallStop& stop) {
  stop.run.text.clear();
  if (only_names(stop.task.tid, stop.int_arg(0))) return Next::as_is;
  if (on_read_only(stop, stop.int_arg(0))) return answer(stop, -EROFS);
  if (!stop.run.emulate_ids) return Next::as_is;
  const PathText proc = proc_path(stop.task.tid, stop.int_arg(0));
  struct stat st {};
  if (::stat(proc.c_str(), &st) != 0) return answer(stop, errno == ENOENT ? -EBADF : -errno);
  xlate::GuestPath path;
  const FileName name = name_of_link(stop.run, proc.c_str(), path);
  return change_owner(stop, proc.c_str(), true, name, id_arg(stop, 1), id_arg(stop, 2));
}

Next on_utime(CallStop& stop) {
  Run& run = stop.run;
  const int dir = stop.dir_arg(stop.call.dir);
  if (stop.arg(stop.call.path) == 0) {          // futimens(3)
    if (stop.flags() != 0) return Next::as_is;  // EINVAL
    return stop.call.dir >= 0 && dir != AT_FDCWD ? on_change(stop, dir) : Next::as_is;
  }
  if (stop.call.flags >= 0 && (stop.flags() & ~static_cast<unsigned>(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
    return answer(stop, -EINVAL);
  std::array<timespec, 2> times{};
  const Word times_at = stop.arg(stop.call.path + 1);
  const bool given = times_at != 0;  // a null pointer means now
  if (given)
    if (const int e = read_times(stop, times_at, times); e != 0) return answer(stop, e);
  if (given && times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT) return answer(stop, 0);
  if (const int e = fetch_path(stop, stop.call.path, run.text); e != 0) return answer(stop, e);
  if (run.text.empty() && (stop.flags() & AT_EMPTY_PATH) != 0)
    return on_read_only(stop, dir) ? answer(stop, -EROFS) : Next::as_is;
  if (const int e = run.lookup.path(stop.task, dir, run.text.view(), final_of(stop), 0, run.at); e != 0)
    return answer(stop, e);
  if (const int e = check_effect(stop, run.at); e != 0) return answer(stop, e);
  const bool follow = run.at.kernel_link;
  const int r =
      ::utimensat(AT_FDCWD, run.at.host.c_str(), given ? times.data() : nullptr, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  return answer(stop, r == 0 ? 0 : -errno);
}

}  // namespace

Next on_inode_call(CallStop& stop) {
  switch (stop.call.op) {
    case Op::chmod:
      return on_chmod(stop);
    case Op::fchmod:
      return on_fchmod(stop);
    case Op::chown:
      return on_chown(stop);
    case Op::fchown:
      return on_fchown(stop);
    case Op::utime:
    case Op::utimes:
    case Op::utimensat:
      return on_utime(stop);
    default:
      return on_change(stop, stop.int_arg(0));  // fchange
  }
}

}  // namespace udk::engine
