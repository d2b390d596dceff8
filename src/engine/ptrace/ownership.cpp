#include "engine/ptrace/ownership.hpp"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "base/file.hpp"

namespace udk::engine {
namespace {

constexpr mode_t k_mode_bits = 07777;

std::uint16_t mode_bits(mode_t mode) { return static_cast<std::uint16_t>(mode & k_mode_bits); }

// What the guest sees of a file that nothing is recorded of: the files of the user who runs udocker belong to the
// identity that the run was started with.
Belief plain_belief(const Run& run, const struct stat& st) {
  const container::Identity& identity = run.spec.identity;
  return {{st.st_uid == run.host_uid ? identity.uid : st.st_uid, st.st_gid == run.host_gid ? identity.gid : st.st_gid,
           mode_bits(st.st_mode)},
          0,
          0};
}

// The umask of a guest process; that of the tracer is of no use.
mode_t umask_of(pid_t tid) {
  const auto status = read_file("/proc/" + std::to_string(tid) + "/status", 1 << 16);
  constexpr std::string_view field = "\nUmask:\t";
  const std::size_t at = status ? status->find(field) : std::string::npos;
  if (at == std::string::npos) return 022;  // Linux < 4.7 does not tell
  return static_cast<mode_t>(std::strtoul(status->c_str() + at + field.size(), nullptr, 8));
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return xlate::head(path, slash == std::string_view::npos ? 0 : slash);
}

// Whether modes can keep the caller out of anything.
bool modes_bind(const CallStop& stop) {
  return stop.run.emulate_ids && !stop.run.owners.empty() &&
         !has_capability(*stop.task.credentials, k_cap_dac_override);
}

}  // namespace

FileName name_of(const Run& run, const xlate::Resolution& at) {
  if (!at.named() || at.kernel_link) return {};
  return {at.guest.view(), run.lookup.table()[at.mount].kind == xlate::MountKind::root};
}

FileName name_of_located(const Run& run, xlate::GuestPath& buffer) {
  if (!run.at.kernel_link) return name_of(run, run.at);
  return name_of_link(run, without_slashes(run.at.host.view()).c_str(), buffer);
}

FileName name_of_link(const Run& run, const char* link, xlate::GuestPath& buffer) {
  PathText text;
  if (!name_of_open(link, text) || !run.lookup.table().to_guest(text.view(), buffer)) return {};
  const std::size_t mount = run.lookup.table().covering(buffer.view());
  return {buffer.view(), run.lookup.table()[mount].kind == xlate::MountKind::root};
}

Belief belief_of(Run& run, const struct stat& st, const FileName& name) {
  const Belief* known = run.owners.find(st, name.path);
  return known != nullptr ? *known : plain_belief(run, st);
}

void show(Run& run, struct stat& st, const FileName& name) {
  if (!run.emulate_ids) return;
  const Belief belief = belief_of(run, st, name);
  st.st_uid = belief.owner.uid;
  st.st_gid = belief.owner.gid;
  st.st_mode = (belief.type != 0 ? belief.type : st.st_mode & S_IFMT) | belief.owner.mode;
  if (belief.type != 0) st.st_rdev = belief.device;
}

void show(Run& run, struct statx& st, const FileName& name) {
  if (!run.emulate_ids) return;
  struct stat key {};
  key.st_dev = makedev(st.stx_dev_major, st.stx_dev_minor);
  key.st_ino = st.stx_ino;
  key.st_uid = st.stx_uid;
  key.st_gid = st.stx_gid;
  key.st_mode = st.stx_mode;
  key.st_nlink = st.stx_nlink;
  show(run, key, name);
  st.stx_uid = key.st_uid;
  st.stx_gid = key.st_gid;
  st.stx_mode = static_cast<__u16>(key.st_mode);
  if (key.st_rdev == 0) return;
  st.stx_rdev_major = major(key.st_rdev);
  st.stx_rdev_minor = minor(key.st_rdev);
}

bool see_recorded(Run& run, const std::string& path) {
  xlate::HostPath host;
  std::size_t mount = 0;
  struct stat st {};
  if (!run.lookup.table().to_host(path, host, mount) || ::lstat(host.empty() ? "/" : host.c_str(), &st) != 0)
    return false;
  (void)run.owners.find(st, path);
  return true;
}

void see_all_recorded(Run& run) {
  run.owners.for_each_unseen([&run](const std::string& path) { (void)see_recorded(run, path); });
}

void settle(Run& run, const struct stat& st, const FileName& name, const Belief& belief) {
  if (st.st_nlink > 1 && !S_ISDIR(st.st_mode)) see_all_recorded(run);  // what was recorded under its other names
  if (belief == plain_belief(run, st))
    run.owners.forget(st, name.path);
  else
    run.owners.set(st, name.path, name.kept, belief);
}

bool acts_as_owner(const Credentials& c, const Belief& belief) {
  return c.uid.fs == belief.owner.uid || has_capability(c, k_cap_fowner);
}

bool in_group(const Credentials& c, gid_t gid) {
  return gid == c.gid.fs || std::find(c.groups.begin(), c.groups.end(), gid) != c.groups.end();
}

int check_mode(const Credentials& c, std::uint32_t uid, std::uint32_t gid, const Belief& belief, mode_t type,
               int wanted) {
  const mode_t mode = belief.owner.mode;
  if (uid == 0) return (wanted & X_OK) == 0 || S_ISDIR(type) || (mode & 0111) != 0 ? 0 : -EACCES;
  unsigned bits = mode & 07U;
  const bool group =
      gid == belief.owner.gid || std::find(c.groups.begin(), c.groups.end(), belief.owner.gid) != c.groups.end();
  if (uid == belief.owner.uid)
    bits = mode >> 6 & 07U;
  else if (group)
    bits = mode >> 3 & 07U;
  return (static_cast<unsigned>(wanted) & ~bits & 07U) == 0 ? 0 : -EACCES;
}

int check_recorded_folder(CallStop& stop, const xlate::Resolution& at, int wanted) {
  if (!modes_bind(stop) || at.last != xlate::Last::name) return 0;
  const FileName name = name_of(stop.run, at);
  const Belief* known = name.path ? stop.run.owners.find_path(parent_of(*name.path)) : nullptr;
  const Credentials& c = *stop.task.credentials;
  return known == nullptr ? 0 : check_mode(c, c.uid.fs, c.gid.fs, *known, S_IFDIR, wanted);
}

int check_recorded_mode(CallStop& stop, const xlate::Resolution& at, unsigned flags) {
  if (!modes_bind(stop) || (flags & O_PATH) != 0) return 0;
  Run& run = stop.run;
  const Credentials& c = *stop.task.credentials;
  struct stat st {};
  if (::lstat(at.host.c_str(), &st) != 0)
    return errno == ENOENT && (flags & O_CREAT) != 0 ? check_recorded_folder(stop, at, W_OK | X_OK) : 0;
  const bool must_be_new = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
  if (must_be_new || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) return 0;
  const Belief* known = run.owners.find(st, name_of(run, at).path);
  if (known == nullptr) return 0;
  const unsigned access = flags & O_ACCMODE;
  int wanted = access == O_WRONLY ? W_OK : access == O_RDONLY ? R_OK : R_OK | W_OK;
  if ((flags & O_TRUNC) != 0) wanted |= W_OK;
  return check_mode(c, c.uid.fs, c.gid.fs, *known, st.st_mode, wanted);
}

mode_t disk_mode(const Run& run, mode_t mode, bool directory) {
  if (!directory) mode &= ~static_cast<mode_t>(S_ISUID | S_ISGID);
  if (run.emulate_ids) mode |= directory ? 0700U : 0600U;
  return mode & k_mode_bits;
}

bool needs_widening(const Run& run, mode_t mode) {
  const mode_t needed = S_ISDIR(mode) ? 0700 : 0600;
  return run.emulate_ids && !S_ISLNK(mode) && !S_ISCHR(mode) && !S_ISBLK(mode) && (mode & needed) != needed;
}

Belief new_file_belief(const Task& task, mode_t mode) {
  const Credentials& c = *task.credentials;
  return {{c.uid.fs, c.gid.fs, mode_bits(mode & ~umask_of(task.tid))}, 0, 0};
}

void note_creation(CallStop& stop, const xlate::Resolution& at, mode_t mode, dev_t device) {
  Run& run = stop.run;
  if (!run.emulate_ids) return;
  const FileName name = name_of(run, at);
  const Credentials& c = *stop.task.credentials;
  const container::Identity& own = run.spec.identity;
  const bool is_device = S_ISCHR(mode) || S_ISBLK(mode);
  const bool foreign = c.uid.fs != own.uid || c.gid.fs != own.gid || is_device || needs_widening(run, mode);
  if (!name.path || (!foreign && run.owners.empty())) return;
  struct stat st {};
  if (::lstat(at.host.c_str(), &st) == 0 || errno != ENOENT) return;
  Belief belief{{c.uid.fs, c.gid.fs, 0}, is_device ? mode & S_IFMT : 0U, device};
  const Belief* parent = run.owners.find_path(parent_of(*name.path));
  const bool inherits = parent != nullptr && (parent->owner.mode & S_ISGID) != 0;
  if (inherits) belief.owner.gid = parent->owner.gid;
  if (!foreign && !inherits) return run.owners.expect(*name.path, name.kept, std::nullopt);
  if (S_ISDIR(mode)) mode &= ~static_cast<mode_t>(S_ISUID | S_ISGID);  // as mkdir(2) does
  belief.owner.mode = mode_bits(S_ISLNK(mode) ? 0777 : mode & ~umask_of(stop.task.tid));
  if (inherits && S_ISDIR(mode)) belief.owner.mode |= S_ISGID;
  run.owners.expect(*name.path, name.kept, belief);
  if (run.fast) run.expected.emplace_back(stop.task.tid, *name.path);
}

}  // namespace udk::engine
