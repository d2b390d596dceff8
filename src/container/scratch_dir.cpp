#include "container/scratch_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/random.hpp"

namespace udk::container {
namespace {

constexpr std::size_t k_boot_digits = 8;
constexpr const char* k_plain_prefix = "udocker-";

Unexpected unwritable(Error error) {
  error.text += " (set UDOCKER_TMP to a directory that can be written)";
  return fail(std::move(error));
}

// "udocker-<boot>-", by the running kernel: on a file system that hosts share, a lock may hold on one of them only. ""
// if the kernel does not tell.
std::string prefix() {
  auto boot = read_file("/proc/sys/kernel/random/boot_id");
  if (!boot || boot->size() < k_boot_digits) return "";
  return k_plain_prefix + boot->substr(0, k_boot_digits) + "-";
}

// Returns 0 or what errno says; EWOULDBLOCK: another process has it.
int lock_dir(const std::string& path, Fd& lock) {
  lock.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
}

// It is that of the name, and of this user.
bool is_own(const Fd& lock, const std::string& path) {
  struct stat locked {};
  struct stat named {};
  return ::fstat(lock.get(), &locked) == 0 && ::lstat(path.c_str(), &named) == 0 && locked.st_ino == named.st_ino &&
         locked.st_dev == named.st_dev && locked.st_uid == ::geteuid();
}

// Of processes that were killed.
void remove_abandoned(const std::string& parent, const std::string& prefix) {
  auto dir = open_dir(parent);
  auto names = dir ? list_dir(dir->get()) : Result<std::vector<std::string>>(std::vector<std::string>());
  if (!names) return;
  for (const auto& name : *names) {
    if (!name.starts_with(prefix)) continue;
    const auto path = path_join(parent, name);
    Fd lock;
    if (lock_dir(path, lock) == 0 && is_own(lock, path)) (void)remove_tree_at(AT_FDCWD, path);
  }
}

}  // namespace

ScratchDir& ScratchDir::operator=(ScratchDir&& other) noexcept {
  if (this == &other) return *this;
  remove();
  parent_ = std::move(other.parent_);
  path_ = std::exchange(other.path_, std::string());
  lock_ = std::move(other.lock_);
  return *this;
}

Result<> ScratchDir::make() {
  std::string begin = prefix();
  if (!begin.empty()) remove_abandoned(parent_, begin);
  for (;;) {
    auto path =
        path_join(parent_, (begin.empty() ? k_plain_prefix : begin) + std::to_string(::getpid()) + "-" + random_hex(8));
    // Whatever the umask: the payload's account files must be readable.
    if (::mkdir(path.c_str(), 0700) != 0 || ::chmod(path.c_str(), 0700) != 0)
      return unwritable(sys_error(errno, "temporary directory " + path));
    const int err = begin.empty() ? 0 : lock_dir(path, lock_);
    if (err == 0 && (begin.empty() || is_own(lock_, path))) {
      path_ = std::move(path);
      return {};
    }
    // Another process took it for abandoned before it was locked; where there are no locks it gets a name that nobody
    // takes for abandoned.
    (void)::rmdir(path.c_str());
    if (err != 0 && err != EWOULDBLOCK && err != ENOENT) begin.clear();
  }
}

Result<std::string> ScratchDir::add_file(const std::string& name, std::string_view content) {
  if (path_.empty()) TRY(make());
  auto file = path_join(path_, name);
  auto fd = open_at(AT_FDCWD, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!fd) return unwritable(std::move(fd).error().context("temporary file"));
  if (::fchmod(fd->get(), 0600) != 0) return unwritable(sys_error(errno, "temporary file " + file));
  if (auto done = write_all(fd->get(), as_bytes(content)); !done)
    return unwritable(std::move(done).error().context("temporary file " + file));
  return file;
}

void ScratchDir::remove() {
  if (path_.empty()) return;
  // What cannot be removed stays in the temporary directory; the run itself is over.
  (void)remove_tree_at(AT_FDCWD, path_);
  path_.clear();
  lock_.reset();
}

}  // namespace udk::container
