#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "archive/layer_applier.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

// The part of LayerApplier that makes hard links.
namespace udk::archive {
namespace {

// What linkat(2) says of a file system, or of a file with too many links already, that it cannot do it.
bool cannot_link(int err) {
  return err == EPERM || err == EMLINK || err == EXDEV || err == EOPNOTSUPP || err == ENOSYS;
}

Result<> copy_content(int from, int to) {
  std::array<std::byte, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
  for (;;) {
    ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "read");
    if (got == 0) return {};
    TRY(write_all(to, std::span(buffer).first(static_cast<std::size_t>(got))));
  }
}

}  // namespace

Result<> LayerApplier::put_hardlink(const TarEntry& entry) {
  if (auto checked = link_.assign(entry.link, limits_.depth); !checked)
    return fail(std::move(checked).error().context("hard link " + printable(path_.text())));
  if (link_.is_root()) return hard_link_failure("is a directory");
  if (is_below_dev(link_.dir())) return skip_device();
  // The target's directory has to be open beside that of the link.
  TRY_ASSIGN(bool there, tree_.enter_existing(link_.dir()));
  if (!there) return hard_link_failure("is missing");
  const std::string target_path = tree_.path_of(link_.name());
  Fd target_dir(::fcntl(tree_.fd(), F_DUPFD_CLOEXEC, 0));
  if (!target_dir) return failure(errno, "cannot make the hard link");
  TRY(tree_.enter(path_.dir()));
  const std::string path = tree_.path_of(path_.name());
  if (target_path == path) {
    TRY_ASSIGN(auto st, lstat_at(tree_.fd(), name()));
    if (!st) return hard_link_failure("is missing");
    return {};
  }
  TRY(link_or_copy(target_dir.get()));
  ledger_.made(path);
  // One file, one owner: that of the target.
  ledger_.set_owner(path, ledger_.owner(target_path));
  return {};
}

Result<> LayerApplier::link_or_copy(int target_dir) {
  const char* target = link_.name().data();
  TRY_ASSIGN(int err,
             make_in_place([&] { return ::linkat(target_dir, target, tree_.fd(), name(), 0) == 0 ? 0 : errno; }));
  if (err == 0) return {};
  if (err == ENOENT) return hard_link_failure("is missing");
  if (!cannot_link(err)) return failure(err, "cannot make the hard link");
  return copy_target(target_dir);
}

// Where there can be no hard link a copy has to do.
Result<> LayerApplier::copy_target(int target_dir) {
  const std::string target(link_.name());
  TRY_ASSIGN(auto st, lstat_at(target_dir, target));
  if (st && S_ISDIR(st->st_mode)) return hard_link_failure("is a directory");
  if (!st || (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode))) return failure(EPERM, "cannot make the hard link");
  if (S_ISLNK(st->st_mode)) {
    TRY_ASSIGN(std::string text, readlink_at(target_dir, target));
    TRY_ASSIGN(int err, make_in_place([&] { return ::symlinkat(text.c_str(), tree_.fd(), name()) == 0 ? 0 : errno; }));
    if (err != 0) return failure(err, "cannot copy to");
  } else {
    if (auto room = check_room(limits_, target_dir, static_cast<std::uint64_t>(st->st_size)); !room)
      return fail(std::move(room).error().context("cannot copy to " + printable(path_.text())));
    TRY_ASSIGN(Fd from, open_at(target_dir, target, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    Fd to;
    TRY_ASSIGN(int err, make_in_place([&] {
                 to.reset(::openat(tree_.fd(), name(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
                 return to ? 0 : errno;
               }));
    if (err != 0) return failure(err, "cannot copy to");
    if (auto copied = copy_content(from.get(), to.get()); !copied)
      return fail(std::move(copied).error().context("cannot copy to " + printable(path_.text())));
    if (::fchmod(to.get(), st->st_mode & 07777U) != 0) return failure(errno, "cannot change the mode of");
  }
  const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, st->st_mtim};
  if (::utimensat(tree_.fd(), name(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
    return failure(errno, "cannot set the time of");
  return {};
}

Unexpected LayerApplier::hard_link_failure(const char* what) const {
  return fail(Code::corrupt, "the archive holds the hard link " + printable(path_.text()) + ", whose target " +
                                 printable(link_.text()) + " " + what);
}

}  // namespace udk::archive
