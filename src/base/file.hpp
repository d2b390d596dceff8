#pragma once

#include <dirent.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

// The *at family with Result. `dir` is a directory descriptor or AT_FDCWD; every descriptor is opened O_CLOEXEC.
// Names in errors are the path as given.
namespace udk {

using Bytes = std::span<const std::byte>;
inline Bytes as_bytes(std::string_view s) { return std::as_bytes(std::span(s.data(), s.size())); }

// open(2). EINTR is repeated.
Result<Fd> open_at(int dir, const std::string& path, int flags, mode_t mode = 0);
// A directory for use with the *at calls (O_DIRECTORY | O_RDONLY).
Result<Fd> open_dir(const std::string& path);
Result<Fd> open_dir_at(int dir, const std::string& path, int extra_flags = 0);

// The whole file. More than `limit` bytes is an error (Code::corrupt), so that a hostile file cannot fill the memory.
Result<std::string> read_file_at(int dir, const std::string& path, std::size_t limit = std::size_t{64} << 20);
Result<std::string> read_file(const std::string& path, std::size_t limit = std::size_t{64} << 20);
Result<std::string> read_all(int fd, std::size_t limit = std::size_t{64} << 20);
// Everything, through short writes and EINTR.
Result<> write_all(int fd, Bytes data);
// Beside the target under a temporary name, then rename: the target is the old or the new content, never a part.
Result<> write_file_atomic_at(int dir, const std::string& path, std::string_view content, mode_t mode = 0666);
Result<> write_file_atomic(const std::string& path, std::string_view content, mode_t mode = 0666);

// fstatat with AT_SYMLINK_NOFOLLOW; nothing there is nullopt.
Result<std::optional<struct stat>> lstat_at(int dir, const std::string& path);
bool exists(const std::string& path);  // stat(2): follows links, any error is false
bool is_dir(const std::string& path);  // stat(2): follows links
Result<std::string> readlink_at(int dir, const std::string& path);
Result<std::string> real_path(const std::string& path);

// mkdir -p: existing directories are fine, a new one gets mode & ~umask.
Result<> make_dirs(const std::string& path, mode_t mode = 0777);
Result<> make_dirs_at(int dir, const std::string& path, mode_t mode = 0777);
Result<> rename_at(int old_dir, const std::string& old_path, int new_dir, const std::string& new_path);
Result<> symlink_at(const std::string& target, int dir, const std::string& path);
// A missing file is no error.
Result<> unlink_at(int dir, const std::string& path, int flags = 0);

// Names in a directory without "." and "..", in directory order.
Result<std::vector<std::string>> list_dir(int dir_fd);
Result<std::vector<std::string>> list_dir(const std::string& path);

enum class Modes { keep, force };
// rm -r of one name, never through a symlink, whatever its depth; a missing name is no error. Modes::force adds u+rwx
// to directories that refuse. Stays on what is below `dir`; goes on after an error and returns the first one.
Result<> remove_tree_at(int dir, const std::string& name, Modes modes = Modes::force);

// fsync(2) of an open file or directory; errors of file systems that cannot (EINVAL, EROFS, ENOSYS) are none.
Result<> sync_fd(int fd);

}  // namespace udk
