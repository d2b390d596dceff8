#include "transfer/output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/random.hpp"

namespace udk::transfer {
namespace {

constexpr int k_most_links = 40;  // as path_resolution(7)
constexpr mode_t k_mode = 0666;
constexpr mode_t k_permissions = 0777;

std::string directory_of(const std::string& path) {
  return path.find('/') == std::string::npos ? "." : std::string(path_dirname(path));
}

// Where the links that `path` may be lead; "" for one that the kernel alone can follow, as /dev/stdout in the end.
Result<std::string> without_links(std::string path) {
  for (int links = 0; links < k_most_links; ++links) {
    TRY_ASSIGN(auto status, lstat_at(AT_FDCWD, path));
    if (!status || !S_ISLNK(status->st_mode)) return path;
    TRY_ASSIGN(const std::string folder, real_path(directory_of(path)));
    if (path_has_prefix(folder, "/proc")) return std::string();
    TRY_ASSIGN(const std::string target, readlink_at(AT_FDCWD, path));
    path = path_join(target.starts_with('/') ? std::string_view() : folder, target);
  }
  return fail_errno(ELOOP, path);
}

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& path, Existing existing) {
  if (existing == Existing::refuse) {
    TRY_ASSIGN(auto there, lstat_at(AT_FDCWD, path));
    if (there) return fail(Code::exists, "output file already exists: " + path);
    return open_beside(path, Way::link);
  }
  TRY_ASSIGN(const std::string real, without_links(path));
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (real.empty() || !S_ISREG(status.st_mode)))
    return open_existing(path, status);
  auto out = open_beside(real, Way::rename);
  if (status.st_nlink == 0) return out;
  // In a directory that cannot be written.
  if (!out && (out.error().sys_errno == EACCES || out.error().sys_errno == EROFS)) return open_existing(path, status);
  if (out && ::fchmod(out->fd(), status.st_mode & k_permissions) != 0) return fail_errno(errno, path);
  return out;
}

Result<OutputFile> OutputFile::open_beside(const std::string& path, Way way) {
  if (auto nameless = open_at(AT_FDCWD, directory_of(path), O_TMPFILE | O_WRONLY, k_mode))
    return OutputFile(path, "", std::move(*nameless), way);
  std::string staged = path + ".new-" + random_hex(6);
  auto fd = open_at(AT_FDCWD, staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, k_mode);
  if (!fd) return fail(std::move(fd).error().context("cannot make " + path));
  return OutputFile(path, std::move(staged), std::move(*fd), way);
}

Result<OutputFile> OutputFile::open_existing(const std::string& path, const struct stat& status) {
  const int flags = O_WRONLY | O_NOCTTY | (S_ISREG(status.st_mode) ? O_TRUNC : 0);
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, path, flags));
  TRY(check_no_terminal(fd.get()));
  return OutputFile(path, "", std::move(fd), Way::in_place);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      staged_(std::exchange(other.staged_, "")),
      fd_(std::move(other.fd_)),
      way_(other.way_) {}

OutputFile::~OutputFile() {
  if (!staged_.empty()) (void)unlink_at(AT_FDCWD, staged_);
}

Result<> OutputFile::publish() {
  switch (way_) {
    case Way::link:
      return publish_as_new();
    case Way::rename:
      return publish_over();
    case Way::in_place:
      break;
  }
  return close_staged();
}

// Network file systems and quotas report a full disk as late as here. A file without a name cannot be closed before it
// has one, and is on a local file system.
Result<> OutputFile::close_staged() {
  if (::close(fd_.release()) != 0 && errno != EINTR) return fail(sys_error(errno, "write").context(path_));
  return {};
}

Result<> OutputFile::publish_as_new() {
  // A link, not a rename: a file that has come meanwhile stays.
  const std::string source = staged_.empty() ? "/proc/self/fd/" + std::to_string(fd_.get()) : staged_;
  if (!staged_.empty()) TRY(close_staged());
  if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
  if (errno == EEXIST) return fail(Code::exists, "output file already exists: " + path_);
  if (staged_.empty()) return fail_errno(errno, path_);
  // A file system without links.
  TRY(rename_at(AT_FDCWD, staged_, AT_FDCWD, path_));
  staged_.clear();
  return {};
}

Result<> OutputFile::publish_over() {
  TRY_ASSIGN(auto there, lstat_at(AT_FDCWD, path_));
  if (there) {
    if (auto done = sync_fd(fd_.get()); !done) return fail(std::move(done).error().context(path_));
  }
  if (staged_.empty()) {
    const std::string source = "/proc/self/fd/" + std::to_string(fd_.get());
    std::string staged = path_ + ".new-" + random_hex(6);
    if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, staged.c_str(), AT_SYMLINK_FOLLOW) != 0)
      return fail_errno(errno, path_);
    staged_ = std::move(staged);
  }
  TRY(close_staged());
  TRY(rename_at(AT_FDCWD, staged_, AT_FDCWD, path_));
  staged_.clear();
  return {};
}

Result<> check_no_terminal(int fd) {
  if (::isatty(fd) != 1) return {};
  return fail(Code::usage, "the archive would go to the terminal: use -o FILE, or send standard output elsewhere");
}

}  // namespace udk::transfer
