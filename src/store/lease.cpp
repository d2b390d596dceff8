#include "store/lease.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>
#include <vector>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/random.hpp"
#include "base/text.hpp"

namespace udk::store {
namespace {

// Who holds a lease. A process number means something only within one boot of one kernel and one pid namespace.
struct Holder {
  std::string host, boot, pid_namespace, pid, start;
};

std::string start_time(const std::string& pid) {
  auto stat = read_file("/proc/" + pid + "/stat", 65536);
  if (!stat) return "";
  // The second field is the program's name in parentheses, which may hold anything: count from the last one.
  auto fields = split_blank(std::string_view(*stat).substr(stat->rfind(')') + 1));
  if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") return "";
  return std::string(fields[19]);
}

const Holder& myself() {
  static thread_local Holder self;
  std::string pid = std::to_string(::getpid());
  if (self.pid == pid) return self;  // else the first call, or that of a forked child
  utsname name{};
  (void)::uname(&name);
  auto boot = read_file("/proc/sys/kernel/random/boot_id", 4096);
  auto space = readlink_at(AT_FDCWD, "/proc/self/ns/pid");
  self = {name.nodename, boot ? std::string(trim(*boot)) : "", space ? *space : "", pid, start_time(pid)};
  return self;
}

std::string to_text(const Holder& holder) {
  return "udocker-lease-1 host=" + holder.host + " boot=" + holder.boot + " pidns=" + holder.pid_namespace +
         " pid=" + holder.pid + " start=" + holder.start;
}

Holder parse_holder(std::string_view text) {
  Holder out;
  for (auto word : split_blank(text)) {
    auto equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    auto key = word.substr(0, equals);
    std::string value(word.substr(equals + 1));
    if (key == "host") out.host = value;
    if (key == "boot") out.boot = value;
    if (key == "pidns") out.pid_namespace = value;
    if (key == "pid" && parse_uint(value)) out.pid = value;
    if (key == "start") out.start = value;
  }
  return out;
}

enum class Life { alive, dead, expired };

struct Found {
  Life life = Life::alive;
  Holder holder;
  struct stat st {};
};

// The time of the file system, which all nodes agree on: that of a file made now.
Result<std::int64_t> clock_of(const std::string& dir) {
  std::string probe = dir + "/clock-" + random_hex(8);
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, probe, O_WRONLY | O_CREAT | O_EXCL, 0600));
  struct stat st {};
  bool known = ::fstat(fd.get(), &st) == 0;
  (void)unlink_at(AT_FDCWD, probe);
  if (!known) return fail_errno(errno, probe);
  return st.st_mtim.tv_sec;
}

// nullopt: the lease is gone meanwhile.
Result<std::optional<Found>> look_at(const std::string& dir, const std::string& path) {
  TRY_ASSIGN(auto st, lstat_at(AT_FDCWD, path));
  if (!st) return std::optional<Found>();
  Found out;
  out.st = *st;
  auto text = readlink_at(AT_FDCWD, path);
  out.holder = parse_holder(text ? *text : std::string());
  const Holder& me = myself();
  bool same_kernel = !me.boot.empty() && out.holder.boot == me.boot && out.holder.pid_namespace == me.pid_namespace;
  if (same_kernel && !out.holder.pid.empty()) {
    if (start_time(out.holder.pid) != out.holder.start) out.life = Life::dead;
    return std::optional(std::move(out));
  }
  TRY_ASSIGN(auto now, clock_of(dir));
  if (now - out.st.st_mtim.tv_sec > Lock::k_lease_time.count()) out.life = Life::expired;
  return std::optional(std::move(out));
}

// A new lease, or nullopt if there is one. A symlink comes into being with its text in one step: nobody sees a lease
// without a holder, whenever its maker is killed.
Result<std::optional<Fd>> create(const std::string& path) {
  auto made = symlink_at(to_text(myself()), AT_FDCWD, path);
  if (!made && made.error().code == Code::exists) return std::optional<Fd>();
  if (!made) return fail(std::move(made).error());
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, path, O_PATH | O_NOFOLLOW));
  return std::optional(std::move(fd));
}

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

// Removes the lease that was found dead or expired. Two that try at the same time must not remove the first one's new
// lease: it is moved aside, and moved back if it proves to be another.
Result<> break_lease(const std::string& path, const Found& found) {
  std::string aside = path + ".broken-" + random_hex(6);
  if (auto moved = rename_at(AT_FDCWD, path, AT_FDCWD, aside); !moved)
    return moved.error().code == Code::not_found ? Result<>() : moved;
  TRY_ASSIGN(auto st, lstat_at(AT_FDCWD, aside));
  if (st && !same_file(*st, found.st)) {
    if (::renameat2(AT_FDCWD, aside.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return {};
    // Not every file system can refuse to replace.
    if (errno != EEXIST) return rename_at(AT_FDCWD, aside, AT_FDCWD, path);
  }
  return unlink_at(AT_FDCWD, aside);
}

std::string describe(const Holder& holder) {
  if (holder.pid.empty()) return "another process";
  return "process " + holder.pid + (holder.host.empty() ? "" : " on " + printable(holder.host));
}

// Whether a shared holder is alive; those that are not are removed. Called with NAME.lease held.
Result<bool> has_sharers(const std::string& dir, const std::string& name, std::string& holder) {
  TRY_ASSIGN(auto names, list_dir(dir));
  const std::string prefix = name + ".share-";
  for (const auto& entry : names) {
    if (!entry.starts_with(prefix)) continue;
    std::string path = path_join(dir, entry);
    TRY_ASSIGN(auto found, look_at(dir, path));
    if (!found) continue;
    if (found->life == Life::alive) {
      holder = describe(found->holder);
      return true;
    }
    TRY(unlink_at(AT_FDCWD, path));
  }
  return false;
}

}  // namespace

Result<std::optional<Lease>> Lease::try_acquire(const std::string& dir, const std::string& name, LockMode mode,
                                                std::string& holder) {
  std::string path = dir + '/' + name + ".lease";
  bool taken_over = false;
  TRY_ASSIGN(auto fd, create(path));
  if (!fd) {
    TRY_ASSIGN(auto found, look_at(dir, path));
    if (found && found->life == Life::alive) {
      holder = describe(found->holder);
      return std::optional<Lease>();
    }
    if (found) TRY(break_lease(path, *found));
    taken_over = found && found->life == Life::expired;
    TRY_ASSIGN(fd, create(path));
    if (!fd) {
      holder = "another process";
      return std::optional<Lease>();
    }
  }
  Lease exclusive(path, std::move(*fd), taken_over);
  if (mode == LockMode::exclusive) {
    TRY_ASSIGN(bool shared, has_sharers(dir, name, holder));
    if (shared) return std::optional<Lease>();
    return std::optional(std::move(exclusive));
  }
  std::string share = dir + '/' + name + ".share-" + random_hex(8);
  TRY_ASSIGN(auto share_fd, create(share));
  if (!share_fd) return std::optional<Lease>();
  return std::optional(Lease(share, std::move(*share_fd), taken_over));
}

Lease::Lease(Lease&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      fd_(std::move(other.fd_)),
      taken_over_(other.taken_over_),
      renewed_(other.renewed_) {}
Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    release();
    path_ = std::exchange(other.path_, {});
    fd_ = std::move(other.fd_);
    taken_over_ = other.taken_over_;
    renewed_ = other.renewed_;
  }
  return *this;
}
Lease::~Lease() { release(); }

bool Lease::is_ours() const {
  struct stat ours {};
  struct stat there {};
  return ::fstat(fd_.get(), &ours) == 0 && ::lstat(path_.c_str(), &there) == 0 && same_file(ours, there);
}

void Lease::release() {
  if (!path_.empty() && is_ours()) (void)unlink_at(AT_FDCWD, path_);
  path_.clear();
}

Result<> Lease::renew() {
  auto now = std::chrono::steady_clock::now();
  if (now - renewed_ < Lock::k_lease_time / 4) return {};
  if (!is_ours())
    return fail(Code::busy, path_ + ": this lock was lost to another process, since it was not renewed in time");
  if (::utimensat(AT_FDCWD, path_.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) != 0) return fail_errno(errno, path_);
  renewed_ = now;
  return {};
}

}  // namespace udk::store
