#include "container/scratch_dir.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/random.hpp"

namespace udk::container {
namespace {

Unexpected unwritable(Error error) {
  error.text += " (set UDOCKER_TMP to a directory that can be written)";
  return fail(std::move(error));
}

}  // namespace

ScratchDir& ScratchDir::operator=(ScratchDir&& other) noexcept {
  if (this == &other) return *this;
  remove();
  parent_ = std::move(other.parent_);
  path_ = std::exchange(other.path_, std::string());
  return *this;
}

Result<std::string> ScratchDir::add_file(const std::string& name, std::string_view content) {
  if (path_.empty()) {
    auto path = path_join(parent_, "udocker-" + std::to_string(::getpid()) + "-" + random_hex(8));
    if (::mkdir(path.c_str(), 0700) != 0) return unwritable(sys_error(errno, "temporary directory " + path));
    path_ = std::move(path);
    // Whatever the umask: the payload's account files must be readable.
    if (::chmod(path_.c_str(), 0700) != 0) return unwritable(sys_error(errno, "temporary directory " + path_));
  }
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
}

}  // namespace udk::container
