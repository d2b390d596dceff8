#include "store/lock.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <thread>
#include <variant>

#include "base/file.hpp"
#include "base/path.hpp"
#include "store/dir_entries.hpp"
#include "store/lease.hpp"

namespace udk::store {
namespace {

using std::chrono::milliseconds;

// A file that is locked with flock(2). The last one to leave removes it.
class Flock {
 public:
  Flock(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  Flock(Flock&&) noexcept = default;
  Flock& operator=(Flock&&) = delete;
  Flock(const Flock&) = delete;
  Flock& operator=(const Flock&) = delete;
  ~Flock() {
    if (fd_ && ::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0 && is_current()) ::unlink(path_.c_str());
  }

  // The file of that name is the locked one: nobody removed it between our open and our lock.
  [[nodiscard]] bool is_current() const {
    struct stat ours {};
    struct stat there {};
    return ::fstat(fd_.get(), &ours) == 0 && ::lstat(path_.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
           ours.st_ino == there.st_ino;
  }

 private:
  std::string path_;
  Fd fd_;
};

// File systems on which flock may hold for this node only, or not at all.
bool is_network(const std::string& dir) {
  struct statfs fs {};
  if (::statfs(dir.c_str(), &fs) != 0) return false;
  constexpr std::array<unsigned long, 16> kinds = {
      NFS_SUPER_MAGIC, SMB_SUPER_MAGIC,  CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC, CEPH_SUPER_MAGIC,  AFS_SUPER_MAGIC,
      AFS_FS_MAGIC,    CODA_SUPER_MAGIC, V9FS_MAGIC,       FUSE_SUPER_MAGIC, OCFS2_SUPER_MAGIC,
      0x0BD00BD0,  // Lustre
      0x47504653,  // GPFS (Spectrum Scale)
      0x19830326,  // BeeGFS
      0xAAD7AAEA,  // PanFS
      0x20030528,  // OrangeFS
  };
  return std::find(kinds.begin(), kinds.end(), static_cast<unsigned long>(fs.f_type) & 0xffffffffUL) != kinds.end();
}

using Held = std::variant<Flock, Lease>;

// nullopt: held by somebody else. Code::unsupported: this place has no flock.
Result<std::optional<Held>> try_flock(const std::string& dir, const std::string& name, LockMode mode,
                                      std::string& holder) {
  std::string path = dir + '/' + name;
  for (;;) {
    auto opened = open_at(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0666);
    // Made by another user of a shared repository: flock asks for no right to write.
    if (!opened && opened.error().sys_errno == EACCES) {
      if (auto read_only = open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW)) opened = std::move(read_only);
    }
    if (!opened) return fail(std::move(opened).error());
    Fd fd = std::move(*opened);
    int locked = 0;
    do {
      locked = ::flock(fd.get(), (mode == LockMode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
    } while (locked != 0 && errno == EINTR);
    if (locked != 0 && errno == EWOULDBLOCK) {
      // For the message only: the last one that took it alone has left its number.
      auto pid = read_all(fd.get(), 64);
      holder = pid && !pid->empty() ? "process " + *pid : "another process";
      return std::optional<Held>();
    }
    if (locked != 0) {
      (void)unlink_at(AT_FDCWD, path);
      return fail(Code::unsupported, path + ": no flock");
    }
    int raw = fd.get();
    Flock held(path, std::move(fd));
    if (!held.is_current()) continue;
    if (mode == LockMode::exclusive) {
      std::string pid = std::to_string(::getpid());
      if (::ftruncate(raw, 0) == 0) (void)write_all(raw, as_bytes(pid));
    }
    return std::optional<Held>(std::move(held));
  }
}

Result<std::optional<Held>> try_lease(const std::string& dir, const std::string& name, LockMode mode,
                                      std::string& holder) {
  TRY_ASSIGN(auto lease, Lease::try_acquire(dir, name, mode, holder));
  if (!lease) return std::optional<Held>();
  return std::optional<Held>(std::move(*lease));
}

// One attempt. The directory is made if it is missing: the last user of a state directory may remove it.
Result<std::optional<Held>> attempt(const std::string& dir, const std::string& name, LockMode mode, bool& use_lease,
                                    std::string& holder) {
  for (int retry = 0;; ++retry) {
    auto held = use_lease ? try_lease(dir, name, mode, holder) : try_flock(dir, name, mode, holder);
    if (held) return held;
    if (held.error().code == Code::not_found && retry < 5) {
      TRY(make_dirs(dir));
      use_lease = is_network(dir);
    } else if (held.error().code == Code::unsupported && !use_lease) {
      use_lease = true;
    } else {
      return held;
    }
  }
}

Error busy(const std::string& what, const std::string& holder) {
  return {Code::busy, what + " is held by " + holder + ": try again when it is done"};
}

Error no_lock(Error why, const std::string& what) {
  if (why.code == Code::denied) why.text += "; the repository cannot be changed, name another with UDOCKER_DIR";
  return std::move(why).context("cannot lock " + what);
}

void tell(const Waiting& waiting, const std::string& what, const std::string& holder) {
  if (waiting.notify) waiting.notify("waiting for " + holder + ", which holds " + what);
}

}  // namespace

struct Lock::State {
  Held held;
};

Lock::Lock(std::unique_ptr<State> state) : state_(std::move(state)) {}
Lock::Lock(Lock&&) noexcept = default;
Lock& Lock::operator=(Lock&&) noexcept = default;
Lock::~Lock() = default;

Result<Lock> Lock::acquire(const std::string& dir, const std::string& name, LockMode mode, const Waiting& waiting,
                           const std::string& what) {
  auto start = std::chrono::steady_clock::now();
  bool use_lease = is_network(dir);
  bool told = false;
  for (milliseconds pause{1};; pause = std::min(pause * 2, milliseconds(use_lease ? 300 : 100))) {
    std::string holder;
    auto held = attempt(dir, name, mode, use_lease, holder);
    if (!held) return fail(no_lock(std::move(held).error(), what));
    if (*held) return Lock(std::make_unique<State>(State{std::move(**held)}));
    if (waiting.timeout && std::chrono::steady_clock::now() - start >= *waiting.timeout)
      return fail(busy(what, holder));
    // Most are held for moments only.
    if (!told && pause >= milliseconds(32)) {
      tell(waiting, what, holder);
      told = true;
    }
    std::this_thread::sleep_for(pause);
  }
}

void Lock::sweep(const std::string& dir) {
  auto entries = dir_entries(dir);
  if (!entries) return;
  std::set<std::string> names;
  for (const auto& entry : *entries) {
    constexpr std::string_view suffix = ".lock";
    auto end = entry.name.rfind(suffix);
    if (end == std::string::npos) continue;
    auto rest = std::string_view(entry.name).substr(end + suffix.size());
    // What the breaking of a lease leaves when its process dies.
    if (rest.starts_with(".lease.broken-")) (void)unlink_at(AT_FDCWD, path_join(dir, entry.name));
    if (rest.empty() || rest == ".lease" || rest.starts_with(".share-"))
      names.insert(entry.name.substr(0, end + suffix.size()));
  }
  Waiting no_wait{milliseconds(0), {}};
  // Whoever takes a lock and lets it go removes its files.
  for (const auto& name : names) (void)acquire(dir, name, LockMode::exclusive, no_wait, name);
}

Result<> Lock::renew() {
  if (auto* lease = std::get_if<Lease>(&state_->held)) return lease->renew();
  return {};
}

bool Lock::taken_over() const {
  const auto* lease = std::get_if<Lease>(&state_->held);
  return lease && lease->taken_over();
}

}  // namespace udk::store
