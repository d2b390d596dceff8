#include "base/copy_entry.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/extended_attributes.hpp"
#include "base/file.hpp"
#include "base/path.hpp"

namespace udk {
namespace {

constexpr mode_t k_set_bits = 07000;
constexpr mode_t k_permissions = 0777;

std::array<timespec, 2> copied_times(const struct stat& status) { return {timespec{0, UTIME_OMIT}, status.st_mtim}; }

// What linkat(2) says where there can be no link: of the file system, of too many links or too long a path, or of a
// device node that could not be made.
bool is_no_place_for_links(int err) {
  return err == ENOENT || err == EPERM || err == EMLINK || err == EXDEV || err == EOPNOTSUPP || err == ENOSYS ||
         err == ENAMETOOLONG;
}

}  // namespace

Result<bool> SharedCopy::link_or_make(const struct stat& status, int dir, const std::string& name,
                                      const std::string& path, const std::function<Result<>()>& make) {
  const std::lock_guard guard(mutex_);
  const auto [first, fresh] = first_names_.try_emplace({status.st_dev, status.st_ino}, path);
  if (!fresh) {
    const std::string target = path_join(top_, first->second);
    if (::linkat(AT_FDCWD, target.c_str(), dir, name.c_str(), 0) == 0) return true;
    if (!is_no_place_for_links(errno)) return fail_errno(errno, path);
  }
  TRY(make());
  return false;
}

void SharedCopy::set_mode_at_end(const std::string& path, mode_t mode) {
  const std::lock_guard guard(mutex_);
  modes_.emplace_back(path, mode);
}

void SharedCopy::keep(Error error) {
  const std::lock_guard guard(mutex_);
  if (!error_) error_ = std::move(error);
}

Result<> SharedCopy::finish() {
  if (error_) return fail(std::move(*error_));
  // What is inside first: it could not be reached any more.
  std::sort(modes_.begin(), modes_.end(), [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  for (const auto& [path, mode] : modes_) {
    TRY_ASSIGN(Fd at, open_dir(top_));
    for (const auto word : path_split(path)) {
      TRY_ASSIGN(at, open_dir_at(at.get(), std::string(word), O_NOFOLLOW));
    }
    if (::fchmod(at.get(), mode) != 0) return fail_errno(errno, path);
  }
  return {};
}

CopiedDir::~CopiedDir() {
  const struct stat& status = from_.status();
  const mode_t mode = status.st_mode & (k_set_bits | k_permissions);
  copy_extended_attributes(from(), to());
  if (::futimens(to(), copied_times(status).data()) != 0) shared_.keep(sys_error(errno, path_));
  if ((mode & S_IRWXU) != S_IRWXU)
    shared_.set_mode_at_end(path_, mode);
  else if (::fchmod(to(), mode) != 0)
    shared_.keep(sys_error(errno, path_));
}

Result<std::shared_ptr<CopiedDir>> EntryCopier::copy(const CopiedDir& parent, const std::string& name) {
  TRY_ASSIGN(auto status, lstat_at(parent.from(), name));
  if (!status) return nullptr;  // it was deleted meanwhile
  const Entry entry{parent, name, path_join(parent.path(), name), *status};
  if (S_ISDIR(status->st_mode)) return copy_directory(entry);
  if (auto done = copy_other(entry); !done) return fail(std::move(done).error().context(entry.path));
  return nullptr;
}

Result<std::shared_ptr<CopiedDir>> EntryCopier::copy_directory(const Entry& entry) const {
  auto from = OwnDir::open(entry.parent.from(), entry.name);
  if (!from) return fail(sys_error(from.error().sys_errno, entry.path));
  if (::mkdirat(entry.parent.to(), entry.name.c_str(), S_IRWXU) != 0) return fail_errno(errno, entry.path);
  TRY_ASSIGN(Fd to, open_dir_at(entry.parent.to(), entry.name, O_NOFOLLOW));
  return std::make_shared<CopiedDir>(shared_, std::move(*from), std::move(to), entry.path);
}

Result<> EntryCopier::copy_other(const Entry& entry) {
  if (S_ISREG(entry.status.st_mode)) return copy_file(entry);
  if (S_ISLNK(entry.status.st_mode)) return copy_link(entry);
  return copy_node(entry);
}

Result<bool> EntryCopier::link_or(const Entry& entry, const std::function<Result<>()>& make) const {
  if (entry.status.st_nlink > 1)
    return shared_.link_or_make(entry.status, entry.parent.to(), entry.name, entry.path, make);
  TRY(make());
  return false;
}

Result<> EntryCopier::copy_file(const Entry& entry) {
  TRY_ASSIGN(Fd from, open_own_file(entry.parent.from(), entry.name));
  const mode_t mode = entry.status.st_mode;
  Fd to;
  TRY_ASSIGN(const bool linked, link_or(entry, [&]() -> Result<> {
               TRY_ASSIGN(to, open_at(entry.parent.to(), entry.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                                      mode & k_permissions));
               return {};
             }));
  if (linked) return {};
  TRY(content_.copy(from.get(), to.get(), entry.status));
  copy_extended_attributes(from.get(), to.get());
  // After the content, since writing takes them away.
  if ((mode & k_set_bits) != 0 && ::fchmod(to.get(), mode & (k_set_bits | k_permissions)) != 0)
    return fail_errno(errno, "mode");
  if (::futimens(to.get(), copied_times(entry.status).data()) != 0) return fail_errno(errno, "time");
  // Network file systems and quotas report a full disk as late as here.
  if (::close(to.release()) != 0 && errno != EINTR) return fail_errno(errno, "write");
  return {};
}

Result<> EntryCopier::copy_link(const Entry& entry) const {
  TRY_ASSIGN(const std::string target, readlink_at(entry.parent.from(), entry.name));
  TRY_ASSIGN(const bool linked, link_or(entry, [&] { return symlink_at(target, entry.parent.to(), entry.name); }));
  if (linked) return {};
  // Some file systems have no times for symlinks.
  if (::utimensat(entry.parent.to(), entry.name.c_str(), copied_times(entry.status).data(), AT_SYMLINK_NOFOLLOW) != 0 &&
      errno != EOPNOTSUPP)
    return fail_errno(errno, "time");
  return {};
}

// FIFOs, sockets and devices.
Result<> EntryCopier::copy_node(const Entry& entry) const {
  bool made = true;
  TRY_ASSIGN(const bool linked, link_or(entry, [&]() -> Result<> {
               made = ::mknodat(entry.parent.to(), entry.name.c_str(), entry.status.st_mode, entry.status.st_rdev) == 0;
               if (!made && errno != EPERM && errno != EOPNOTSUPP) return fail_errno(errno, "node");
               return {};
             }));
  if (linked || !made) return {};
  if (::utimensat(entry.parent.to(), entry.name.c_str(), copied_times(entry.status).data(), AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno(errno, "time");
  return {};
}

}  // namespace udk
