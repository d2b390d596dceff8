#include "engine/ptrace/lookup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "base/file.hpp"

namespace udk::engine {
namespace {

constexpr std::string_view k_deleted = " (deleted)";

bool ends_deleted(std::string_view text) {
  return text.size() > k_deleted.size() && xlate::tail(text, text.size() - k_deleted.size()) == k_deleted;
}

}  // namespace

bool name_of_open(const char* proc, PathText& text) {
  errno = 0;
  if (!read_kernel_link(proc, text) || text.empty() || text.view().front() != '/') return false;
  if (!ends_deleted(text.view())) return true;
  struct stat by_name {};  // the name may really end like that
  struct stat by_link {};
  return ::lstat(text.c_str(), &by_name) == 0 && ::stat(proc, &by_link) == 0 && by_name.st_ino == by_link.st_ino &&
         by_name.st_dev == by_link.st_dev;
}

void append_number(PathText& text, long value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  text.append({digits, static_cast<std::size_t>(end.ptr - digits)});
}

bool read_kernel_link(const char* path, PathText& text) {
  const ssize_t n = ::readlink(path, text.data(), text.capacity());
  if (n < 0) return false;
  text.set_size(static_cast<std::size_t>(n));
  return true;
}

xlate::HostPath without_slashes(std::string_view host) {
  while (host.size() > 1 && host.back() == '/') host.remove_suffix(1);
  xlate::HostPath out;
  (void)out.assign(host);
  return out;
}

PathText proc_path(pid_t tid, int dir) {
  PathText text;
  text.append("/proc/");
  append_number(text, tid);
  if (dir == AT_FDCWD) {
    text.append("/cwd");
  } else {
    text.append("/fd/");
    append_number(text, dir);
  }
  return text;
}

bool only_names(pid_t tid, int fd) {
  struct stat st {};
  if (::lstat(proc_path(tid, fd).c_str(), &st) != 0 || (st.st_mode & 0700) != 0) return false;
  const auto info = read_file("/proc/" + std::to_string(tid) + "/fdinfo/" + std::to_string(fd), 4096);
  const std::size_t at = info ? info->find("flags:\t") : std::string::npos;
  return at != std::string::npos && (std::strtoul(info->c_str() + at + 7, nullptr, 8) & O_PATH) != 0;
}

bool Lookup::guest_name(const Task& task, std::string_view host, xlate::GuestPath& guest) const {
  if (!table_.to_guest(host, guest)) return false;
  const std::string& root = task.fs->root;
  if (root.empty()) return true;
  if (!xlate::is_below(guest.view(), root)) return false;
  xlate::GuestPath inner;
  inner.assign(xlate::tail(guest.view(), root.size()));
  return guest.assign(inner.view());
}

// The kernel tells no name of 4096 bytes or more. Whether the directory is still the one that was entered by such a
// name is seen from its inode.
bool Lookup::is_remembered_cwd(const Task& task, const char* proc) {
  const std::string& host = task.fs->host_cwd;
  if (host.size() < xlate::k_path_max) return false;
  struct stat there {};
  struct stat remembered {};
  if (!long_.assign(host) || shorten(long_) != 0) return false;
  return ::stat(proc, &there) == 0 && ::stat(long_.c_str(), &remembered) == 0 && there.st_ino == remembered.st_ino &&
         there.st_dev == remembered.st_dev;
}

int Lookup::directory(Task& task, int dir, xlate::GuestPath& guest) {
  const PathText proc = proc_path(task.tid, dir);
  PathText text;
  if (!name_of_open(proc.c_str(), text)) {
    const int e = errno == ENAMETOOLONG ? -ENAMETOOLONG : -ENOENT;
    if (dir == AT_FDCWD) {
      if (e == -ENOENT || !is_remembered_cwd(task, proc.c_str())) return e;
      return task.fs->guest_cwd.size() < xlate::k_path_max && guest.assign(task.fs->guest_cwd) ? 0 : e;
    }
    return ::faccessat(AT_FDCWD, proc.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0 ? -EBADF : -ENOENT;
  }
  if (dir == AT_FDCWD) {
    const FileSystemState& fs = *task.fs;
    if (text.view() == fs.host_cwd) return guest.assign(fs.guest_cwd) ? 0 : -ENOENT;
    if (text.view() == fs.host_previous) return guest.assign(fs.guest_previous) ? 0 : -ENOENT;
  }
  return table_.to_guest(text.view(), guest) ? 0 : -ENOENT;
}

std::size_t Lookup::mount_of_open(const Task& task, int fd) const { return mount_of_link(proc_path(task.tid, fd)); }

std::size_t Lookup::mount_of_link(const PathText& proc) const {
  PathText text;
  xlate::GuestPath guest;
  Fd above;  // of a directory whose name is too long to be told the next one up that has a shorter name
  for (std::string up = proc.c_str();
       !read_kernel_link(above ? proc_path(::getpid(), above.get()).c_str() : proc.c_str(), text);) {
    if (errno != ENAMETOOLONG || up.size() > xlate::k_path_max) return 0;
    up += "/..";
    above.reset(::open(up.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!above) return 0;
  }
  if (!table_.to_guest(text.view(), guest)) return 0;
  return table_.covering(guest.view());
}

int Lookup::path(Task& task, int dir, std::string_view path, xlate::Final final, unsigned confine,
                 xlate::Resolution& out) {
  task_ = &task;
  plain_.refresh();
  start_.clear();
  PathText proc;
  std::size_t mount = 0;
  if (!path.empty() && (path.front() != '/' || (confine & (xlate::k_in_start | xlate::k_beneath)) != 0)) {
    if (path.front() == '/' && (confine & xlate::k_beneath) != 0) return -EXDEV;  // before the descriptor is looked at
    const int e = directory(task, dir, start_);
    if (e == -EBADF) return e;
    if (e != 0) {
      proc = proc_path(task.tid, dir);
      mount = mount_of_link(proc);
    }
    if (dir != AT_FDCWD && !is_directory(proc)) return -ENOTDIR;
  }
  const xlate::View view{table_, task.fs->root};
  const int e = resolver_.resolve(view, {start_.view(), proc.view(), mount}, path, final, confine, out);
  return e != 0 || out.host.size() < xlate::k_path_max ? e : shorten(out.host);
}

// Whether walks can begin at the descriptor that was looked up: at start_, or if that has no name at its kernel link.
// A descriptor of a symbolic link (O_PATH) is none, whatever the link leads to.
bool Lookup::is_directory(const PathText& nameless) {
  struct stat st {};
  if (!nameless.empty()) return ::stat(nameless.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
  xlate::HostPath& host = long_;
  std::size_t mount = 0;
  if (!table_.to_host(start_.view(), host, mount) || shorten(host) != 0) return false;
  return ::lstat(host.empty() ? "/" : host.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

// Opens a directory on the way and goes on from its descriptor, until the rest is short enough for a call. Guests can
// use the path as well. The descriptors stay open until as many other long paths were needed.
int Lookup::shorten(xlate::HostPath& host) {
  while (host.size() >= xlate::k_path_max) {
    std::size_t cut = xlate::k_path_max - 1;
    while (cut > 0 && host.view()[cut] != '/') --cut;
    if (cut == 0) return -ENAMETOOLONG;
    PathText front;
    front.assign(xlate::head(host.view(), cut));
    Fd& fd = hops_.at(next_hop_++ % hops_.size());
    fd.reset(::open(front.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return -errno;
    front.assign("/proc/");
    append_number(front, ::getpid());
    front.append("/fd/");
    append_number(front, fd.get());
    front.append(xlate::tail(host.view(), cut));
    if (!host.assign(front.view())) return -ENAMETOOLONG;
  }
  return 0;
}

// A host path through a descriptor (of what has no name, or a long one) does not say which name it is.
void Lookup::name_changed(const xlate::Resolution& at, bool moved) {
  if (moved || !at.named() || xlate::is_below(at.host.view(), "/proc"))
    plain_.forget_all();
  else
    plain_.forget(at.host.view());
  if (fast_ != nullptr) fast_->name_changed(moved);
}

void Lookup::link_made(const xlate::Resolution& at) {
  name_changed(at);
  if (fast_ != nullptr) fast_->name_changed(true);
}

int Lookup::link_text(Task& task, const xlate::Resolution& out, PathText& text) {
  task_ = &task;
  xlate::Link link;
  const int e = read_link(out.host.view(), out.guest.view(), link);
  if (e != 0) return e;
  if (link.kind == xlate::LinkKind::text) return text.assign(link.target.view()) ? 0 : -ENAMETOOLONG;
  if (link.target.empty() && link.kind == xlate::LinkKind::open)
    return read_kernel_link(out.host.c_str(), text) ? 0 : -errno;
  std::string_view target = link.target.view();
  if (xlate::is_below(target, task.fs->root)) target = xlate::tail(target, task.fs->root.size());
  return text.assign(target.empty() ? "/" : target) ? 0 : -ENAMETOOLONG;
}

int Lookup::check_dir(std::string_view host) {
  struct stat st {};
  if (::stat(host.empty() ? "/" : callable(host), &st) != 0) return -errno;
  return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

bool Lookup::name_of_dir(std::string_view host, xlate::GuestPath& guest) {
  const Fd dir(::open(callable(host), O_PATH | O_DIRECTORY | O_CLOEXEC));
  PathText text;
  return dir && name_of_open(proc_path(::getpid(), dir.get()).c_str(), text) && table_.to_guest(text.view(), guest);
}

int Lookup::check_parent(const xlate::Resolution& at) {
  if (at.last != xlate::Last::name || (at.mount_point && at.named())) return 0;
  xlate::HostPath parent = without_slashes(at.host.view());
  parent.pop();
  return check_dir(parent.view());
}

bool Lookup::is_removed_parent(const xlate::Resolution& at) {
  if (!at.nameless || at.last != xlate::Last::name) return false;
  xlate::HostPath parent = without_slashes(at.host.view());
  parent.pop();
  struct stat st {};
  return ::stat(callable(parent.view()), &st) == 0 && st.st_nlink == 0;
}

// A host path of any length as one that a call takes.
const char* Lookup::callable(std::string_view host) {
  if (host.size() < xlate::k_path_max) return host.data();
  return long_.assign(host) && shorten(long_) == 0 ? long_.c_str() : host.data();
}

int Lookup::read_link(std::string_view host, std::string_view, xlate::Link& link) {
  int result = 0;
  if (xlate::is_below(host, "/proc") && read_proc_link(host, link, result)) return result;
  const ssize_t n = ::readlink(callable(host), link.target.data(), link.target.capacity());
  if (n < 0) return -errno;
  link.kind = xlate::LinkKind::text;
  link.target.set_size(static_cast<std::size_t>(n));
  return 0;
}

}  // namespace udk::engine
