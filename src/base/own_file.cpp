#include "base/own_file.hpp"

#include <fcntl.h>

#include <cerrno>

#include "base/file.hpp"

namespace udk {
namespace {

constexpr mode_t k_mode_bits = 07777;
constexpr mode_t k_searchable = S_IRUSR | S_IXUSR;

// fchmod(2) of a file that cannot be opened: by its kernel link, which is none that somebody could have replaced.
bool change_mode(const Fd& path, mode_t mode) {
  return ::chmod(("/proc/self/fd/" + std::to_string(path.get())).c_str(), mode & k_mode_bits) == 0;
}

Unexpected closed(int err, const std::string& name) { return fail_errno(err, name); }

}  // namespace

Result<Fd> open_own_file(int dir, const std::string& name) {
  // O_NONBLOCK: a FIFO put in the place of the file must not hang us.
  constexpr int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  auto fd = open_at(dir, name, flags);
  if (fd || fd.error().sys_errno != EACCES) return fd;
  TRY_ASSIGN(Fd path, open_at(dir, name, O_PATH | O_NOFOLLOW));
  struct stat st {};
  if (::fstat(path.get(), &st) != 0 || !S_ISREG(st.st_mode) || !change_mode(path, st.st_mode | S_IRUSR))
    return closed(EACCES, name);
  fd = open_at(dir, name, flags);
  (void)change_mode(path, st.st_mode);
  return fd;
}

Result<OwnDir> OwnDir::open(int dir, const std::string& name) {
  TRY_ASSIGN(Fd path, open_at(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  struct stat st {};
  if (::fstat(path.get(), &st) != 0) return fail_errno(errno, name);
  const bool own = st.st_uid == ::geteuid();
  if (own && (st.st_mode & k_searchable) != k_searchable && !change_mode(path, st.st_mode | k_searchable))
    return closed(EACCES, name);
  OwnDir out(std::move(path), st);
  TRY_ASSIGN(out.fd_, open_dir_at(out.fd(), "."));
  return out;
}

OwnDir::~OwnDir() {
  if (fd_ && status_.st_uid == ::geteuid() && (status_.st_mode & k_searchable) != k_searchable)
    (void)change_mode(fd_, status_.st_mode);
}

}  // namespace udk
