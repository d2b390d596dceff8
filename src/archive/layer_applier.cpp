#include "archive/layer_applier.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "base/file.hpp"
#include "base/scope.hpp"
#include "base/text.hpp"

namespace udk::archive {
namespace {

constexpr mode_t k_set_id = S_ISUID | S_ISGID;

// The mode that a file gets so that its user can read, change and delete it. The sticky bit gives nobody a privilege;
// it means something on directories only.
mode_t mode_on_disk(EntryType type, std::uint16_t mode) {
  if (type == EntryType::directory) return (mode & 01777U) | S_IRWXU;
  return (mode & 0777U) | S_IRUSR | S_IWUSR;
}

std::array<timespec, 2> times_of(timespec mtime) { return {timespec{0, UTIME_OMIT}, mtime}; }

}  // namespace

Result<> LayerApplier::apply(TarReader& reader) {
  has_aufs_links_ = false;
  for (;;) {
    TRY_ASSIGN(const TarEntry* entry, reader.next());
    if (!entry) break;
    if (++report_.entries > limits_.entries) return too_many_entries(limits_.entries);
    TRY(apply_entry(*entry, reader));
  }
  TRY(reader.drain());
  if (has_aufs_links_) {
    TRY(tree_.enter(""));
    TRY(tree_.remove(std::string(k_aufs_links).c_str()));
  }
  return {};
}

Result<> LayerApplier::apply_entry(const TarEntry& entry, TarReader& reader) {
  TRY(path_.assign(entry.path, limits_.depth));
  if (path_.is_root()) return apply_root(entry);
  if (is_below_dev(path_.dir())) return skip_device();
  switch (mark_of(path_)) {
    case Mark::none:
      return put(entry, reader);
    case Mark::whiteout:
      ++report_.whiteouts;
      return whiteouts_.hide(path_);
    case Mark::opaque:
      ++report_.whiteouts;
      return whiteouts_.hide_content(path_);
    case Mark::ignored:
      return {};
    case Mark::invalid:
      break;
  }
  return fail(Code::corrupt, "the archive holds the invalid whiteout " + printable(entry.path));
}

Result<> LayerApplier::apply_root(const TarEntry& entry) {
  if (entry.type != EntryType::directory)
    return fail(Code::corrupt, "the archive holds a member in the place of the root directory");
  TRY(tree_.enter(""));
  const mode_t mode = mode_on_disk(entry.type, entry.mode);
  if (::fchmodat(tree_.fd(), ".", mode, 0) != 0) return failure(errno, "cannot change the mode of");
  ledger_.set_directory_time("", entry.mtime);
  record("", entry, mode);
  return {};
}

Result<> LayerApplier::put(const TarEntry& entry, TarReader& reader) {
  TRY(tree_.enter(path_.dir()));
  if (is_below_dev(tree_.path())) return skip_device();
  has_aufs_links_ = has_aufs_links_ || is_at_or_below(path_.text(), k_aufs_links);
  switch (entry.type) {
    case EntryType::file:
      return put_file(entry, reader);
    case EntryType::directory:
      return put_directory(entry);
    case EntryType::symlink:
      return put_symlink(entry);
    case EntryType::hardlink:
      return put_hardlink(entry);
    case EntryType::fifo:
      return put_fifo(entry);
    case EntryType::device:
      break;
  }
  // It replaces what was there, even if it is not made itself.
  TRY(tree_.remove(name()));
  ledger_.made(tree_.path_of(path_.name()));
  return skip_device();
}

Result<> LayerApplier::put_file(const TarEntry& entry, TarReader& reader) {
  const mode_t mode = mode_on_disk(entry.type, entry.mode);
  Fd file;
  TRY_ASSIGN(int err, make_in_place([&] {
               file.reset(::openat(tree_.fd(), name(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
               return file ? 0 : errno;
             }));
  if (err != 0) return failure(err, "cannot create");
  TRY(write_content(file.get(), entry, reader));
  if (tree_.needs_chmod(mode) && ::fchmod(file.get(), mode) != 0) return failure(errno, "cannot change the mode of");
  if (::futimens(file.get(), times_of(entry.mtime).data()) != 0) return failure(errno, "cannot set the time of");
  // Network file systems and quotas report a full disk as late as here.
  if (::close(file.release()) != 0 && errno != EINTR) return failure(errno, "cannot write");
  ++report_.files;
  const std::string& path = tree_.path_of(path_.name());
  ledger_.made(path);
  record(path, entry, mode);
  return {};
}

Result<> LayerApplier::write_content(int fd, const TarEntry& entry, TarReader& reader) {
  if (auto room = check_room(limits_, fd, entry.stored_size); !room)
    return fail(std::move(room).error().context("cannot write " + printable(path_.text())));
  std::uint64_t end = 0;
  while (end < entry.size) {
    TRY_ASSIGN(TarData piece, reader.data());
    if (piece.bytes.empty()) break;
    if (piece.offset != end && ::lseek(fd, static_cast<off_t>(piece.offset), SEEK_SET) < 0)
      return failure(errno, "cannot write");
    if (auto written = write_all(fd, piece.bytes); !written)
      return fail(std::move(written).error().context("cannot write " + printable(path_.text())));
    end = piece.offset + piece.bytes.size();
    report_.content_bytes += piece.bytes.size();
  }
  if (end < entry.size && ::ftruncate(fd, static_cast<off_t>(entry.size)) != 0) return failure(errno, "cannot write");
  return {};
}

Result<> LayerApplier::put_directory(const TarEntry& entry) {
  const mode_t mode = mode_on_disk(entry.type, entry.mode);
  int err = tree_.make_directory(name(), mode);
  if (err == EEXIST) {
    TRY_ASSIGN(auto st, lstat_at(tree_.fd(), name()));
    if (st && S_ISDIR(st->st_mode)) {
      // lstat saw that it is no symlink, which fchmodat would follow.
      err = (st->st_mode & 07777U) == mode || ::fchmodat(tree_.fd(), name(), mode, 0) == 0 ? 0 : errno;
    } else {
      TRY(tree_.remove(name()));
      err = tree_.make_directory(name(), mode);
    }
  }
  if (err != 0) return failure(err, "cannot make the directory");
  const std::string& path = tree_.path_of(path_.name());
  ledger_.made(path);
  ledger_.set_directory_time(path, entry.mtime);
  record(path, entry, mode);
  return {};
}

Result<> LayerApplier::put_symlink(const TarEntry& entry) {
  if (entry.link.empty() || entry.link.find('\0') != std::string_view::npos)
    return fail(Code::corrupt, "the archive holds a symbolic link without a valid target: " + printable(entry.path));
  const std::string target(entry.link);
  TRY_ASSIGN(int err, make_in_place([&] { return ::symlinkat(target.c_str(), tree_.fd(), name()) == 0 ? 0 : errno; }));
  if (err != 0) return failure(err, "cannot make the symbolic link");
  // Some file systems have no times for symlinks.
  if (::utimensat(tree_.fd(), name(), times_of(entry.mtime).data(), AT_SYMLINK_NOFOLLOW) != 0 && errno != EOPNOTSUPP)
    return failure(errno, "cannot set the time of");
  const std::string& path = tree_.path_of(path_.name());
  ledger_.made(path);
  record(path, entry, entry.mode);
  return {};
}

Result<> LayerApplier::put_fifo(const TarEntry& entry) {
  const mode_t mode = mode_on_disk(entry.type, entry.mode);
  TRY_ASSIGN(int err, make_in_place([&] { return ::mkfifoat(tree_.fd(), name(), mode) == 0 ? 0 : errno; }));
  const std::string& path = tree_.path_of(path_.name());
  if (err == EPERM || err == EOPNOTSUPP || err == ENOSYS || err == EINVAL) {
    ledger_.made(path);
    return skip_device();
  }
  if (err != 0) return failure(err, "cannot make the FIFO");
  // It was made a moment ago, so that it is no symlink that fchmodat could follow.
  if (tree_.needs_chmod(mode) && ::fchmodat(tree_.fd(), name(), mode, 0) != 0)
    return failure(errno, "cannot change the mode of");
  if (::utimensat(tree_.fd(), name(), times_of(entry.mtime).data(), AT_SYMLINK_NOFOLLOW) != 0)
    return failure(errno, "cannot set the time of");
  ledger_.made(path);
  record(path, entry, mode);
  return {};
}

Result<> LayerApplier::skip_device() {
  ++report_.skipped_devices;
  return {};
}

void LayerApplier::record(const std::string& path, const TarEntry& entry, mode_t mode_on_disk) {
  const bool is_plain = entry.uid == 0 && entry.gid == 0 && (entry.mode & k_set_id) == 0 && entry.mode == mode_on_disk;
  if (is_plain)
    ledger_.set_owner(path, std::nullopt);
  else
    ledger_.set_owner(path, Ownership{entry.uid, entry.gid, entry.mode});
}

Result<> LayerApplier::finish() {
  Result<> result;
  ledger_.for_each_directory_time([&](std::string_view path, timespec time) {
    if (!result) return;
    result = [&]() -> Result<> {
      EntryPath directory;
      TRY(directory.assign(path.empty() ? "." : path, SIZE_MAX));
      TRY(tree_.enter(directory.dir()));
      const char* name = directory.is_root() ? "." : directory.name().data();
      if (::utimensat(tree_.fd(), name, times_of(time).data(), AT_SYMLINK_NOFOLLOW) != 0)
        return fail_errno(errno, "cannot set the time of " + printable(path));
      return {};
    }();
  });
  return result;
}

Unexpected LayerApplier::failure(int err, const char* what) const {
  return fail_errno(err, std::string(what) + " " + printable(path_.text()));
}

bool LayerApplier::is_below_dev(std::string_view dir) const { return is_at_or_below(dir, "dev"); }

}  // namespace udk::archive
