#include "base/file.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "base/path.hpp"
#include "base/random.hpp"
#include "base/scope.hpp"

namespace udk {

Result<Fd> open_at(int dir, const std::string& path, int flags, mode_t mode) {
  int fd = 0;
  do {
    fd = ::openat(dir, path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return fail_errno(errno, path);
  return Fd(fd);
}

Result<Fd> open_dir(const std::string& path) { return open_dir_at(AT_FDCWD, path); }
Result<Fd> open_dir_at(int dir, const std::string& path, int extra_flags) {
  return open_at(dir, path, O_RDONLY | O_DIRECTORY | extra_flags);
}

Result<std::string> read_all(int fd, std::size_t limit) {
  std::string out;
  std::array<char, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
  for (;;) {
    auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "read");
    if (got == 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(got));
    if (out.size() > limit) return fail(Code::corrupt, "larger than the " + std::to_string(limit) + " bytes allowed");
  }
}

Result<std::string> read_file_at(int dir, const std::string& path, std::size_t limit) {
  // O_NONBLOCK: a FIFO put in the place of a file must not hang us; it changes nothing for a regular file.
  TRY_ASSIGN(Fd fd, open_at(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  auto content = read_all(fd.get(), limit);
  if (!content) return fail(std::move(content).error().context(path));
  return content;
}
Result<std::string> read_file(const std::string& path, std::size_t limit) {
  return read_file_at(AT_FDCWD, path, limit);
}

Result<> write_all(int fd, Bytes data) {
  while (!data.empty()) {
    auto put = ::write(fd, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno(errno, "write");
    data = data.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Result<> write_file_atomic_at(int dir, const std::string& path, std::string_view content, mode_t mode) {
  const std::string staged = path + ".new-" + random_hex(6);
  TRY_ASSIGN(Fd fd, open_at(dir, staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
  ScopeExit discard([&] { ::unlinkat(dir, staged.c_str(), 0); });
  if (auto done = write_all(fd.get(), as_bytes(content)); !done) return fail(std::move(done).error().context(path));
  if (auto done = sync_fd(fd.get()); !done) return fail(std::move(done).error().context(path));
  TRY(rename_at(dir, staged, dir, path));
  discard.release();
  return {};
}
Result<> write_file_atomic(const std::string& path, std::string_view content, mode_t mode) {
  return write_file_atomic_at(AT_FDCWD, path, content, mode);
}

Result<std::optional<struct stat>> lstat_at(int dir, const std::string& path) {
  struct stat st {};
  if (::fstatat(dir, path.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return std::optional(st);
  if (errno == ENOENT || errno == ENOTDIR) return std::optional<struct stat>();
  return fail_errno(errno, path);
}

bool exists(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0;
}
bool is_dir(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

Result<std::string> readlink_at(int dir, const std::string& path) {
  std::array<char, PATH_MAX> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by readlinkat
  auto size = ::readlinkat(dir, path.c_str(), buffer.data(), buffer.size());
  if (size < 0) return fail_errno(errno, path);
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

Result<std::string> real_path(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (!resolved) return fail_errno(errno, path);
  ScopeExit release([&] { std::free(resolved); });
  return std::string(resolved);
}

Result<> make_dirs_at(int dir, const std::string& path, mode_t mode) {
  if (::mkdirat(dir, path.c_str(), mode) == 0) return {};
  int err = errno;
  if (err == ENOENT) {
    std::string parent(path_dirname(path));
    if (parent != path && parent != ".") {
      TRY(make_dirs_at(dir, parent, mode));
      if (::mkdirat(dir, path.c_str(), mode) == 0) return {};
      err = errno;
    }
  }
  struct stat st {};
  // EROFS and EACCES come before EEXIST on some file systems.
  if (::fstatat(dir, path.c_str(), &st, 0) == 0 && S_ISDIR(st.st_mode)) return {};
  return fail_errno(err == EEXIST ? ENOTDIR : err, path);
}
Result<> make_dirs(const std::string& path, mode_t mode) { return make_dirs_at(AT_FDCWD, path, mode); }

Result<> rename_at(int old_dir, const std::string& old_path, int new_dir, const std::string& new_path) {
  if (::renameat(old_dir, old_path.c_str(), new_dir, new_path.c_str()) != 0) return fail_errno(errno, new_path);
  return {};
}

Result<> symlink_at(const std::string& target, int dir, const std::string& path) {
  if (::symlinkat(target.c_str(), dir, path.c_str()) != 0) return fail_errno(errno, path);
  return {};
}

Result<> unlink_at(int dir, const std::string& path, int flags) {
  if (::unlinkat(dir, path.c_str(), flags) != 0 && errno != ENOENT) return fail_errno(errno, path);
  return {};
}

Result<std::vector<std::string>> list_dir(int dir_fd) {
  // A descriptor of its own: the position of the directory stream is shared by duplicates.
  TRY_ASSIGN(Fd own, open_dir_at(dir_fd, "."));
  DIR* stream = ::fdopendir(own.get());
  if (!stream) return fail_errno(errno, "directory");
  (void)own.release();  // closedir closes it
  ScopeExit close_stream([&] { ::closedir(stream); });
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream)) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return fail_errno(errno, "directory");
  return names;
}

Result<std::vector<std::string>> list_dir(const std::string& path) {
  auto dir = open_dir(path);
  if (!dir) return fail(std::move(dir).error());
  auto names = list_dir(dir->get());
  if (!names) return fail(std::move(names).error().context(path));
  return names;
}

Result<> sync_fd(int fd) {
  if (::fsync(fd) == 0 || errno == EINVAL || errno == EROFS || errno == ENOSYS) return {};
  return fail_errno(errno, "fsync");
}

}  // namespace udk
