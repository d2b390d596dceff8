#include "engine/ptrace/lookup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace udk::engine {
namespace {

constexpr std::string_view k_deleted = " (deleted)";

void append_number(PathText& text, long value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  text.append({digits, static_cast<std::size_t>(end.ptr - digits)});
}

bool ends_deleted(std::string_view text) {
  return text.size() > k_deleted.size() && xlate::tail(text, text.size() - k_deleted.size()) == k_deleted;
}

// The kernel's text for an open directory or file, unless that has no name any more.
bool name_of_open(const char* proc, PathText& text) {
  if (!read_kernel_link(proc, text) || text.empty() || text.view().front() != '/') return false;
  if (!ends_deleted(text.view())) return true;
  struct stat by_name {};  // the name may really end like that
  struct stat by_link {};
  return ::lstat(text.c_str(), &by_name) == 0 && ::stat(proc, &by_link) == 0 && by_name.st_ino == by_link.st_ino &&
         by_name.st_dev == by_link.st_dev;
}

}  // namespace

bool read_kernel_link(const char* path, PathText& text) {
  const ssize_t n = ::readlink(path, text.data(), text.capacity());
  if (n < 0) return false;
  text.set_size(static_cast<std::size_t>(n));
  return true;
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

bool Lookup::guest_name(const Task& task, std::string_view host, xlate::GuestPath& guest) const {
  if (!table_.to_guest(host, guest)) return false;
  const std::string& root = task.fs->root;
  if (root.empty()) return true;
  if (!xlate::is_below(guest.view(), root)) return false;
  xlate::GuestPath inner;
  inner.assign(xlate::tail(guest.view(), root.size()));
  return guest.assign(inner.view());
}

int Lookup::directory(Task& task, int dir, xlate::GuestPath& guest) {
  const PathText proc = proc_path(task.tid, dir);
  PathText text;
  if (!name_of_open(proc.c_str(), text)) {
    if (dir != AT_FDCWD && ::faccessat(AT_FDCWD, proc.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) return -EBADF;
    return -ENOENT;
  }
  if (dir == AT_FDCWD) {
    const FileSystemState& fs = *task.fs;
    if (text.view() == fs.host_cwd) return guest.assign(fs.guest_cwd) ? 0 : -ENOENT;
    if (text.view() == fs.host_previous) return guest.assign(fs.guest_previous) ? 0 : -ENOENT;
  }
  return table_.to_guest(text.view(), guest) ? 0 : -ENOENT;
}

int Lookup::path(Task& task, int dir, std::string_view path, xlate::Final final, unsigned confine,
                 xlate::Resolution& out) {
  task_ = &task;
  start_.clear();
  if (!path.empty() && (path.front() != '/' || (confine & (xlate::k_in_start | xlate::k_beneath)) != 0)) {
    const int e = directory(task, dir, start_);
    if (e == -EBADF) return e;
    if (e != 0) {  // a directory that the guest has no name for: the kernel alone can go on from there
      const PathText proc = proc_path(task.tid, dir);
      out.opaque = true;
      out.kernel_link = out.trailing_slash = out.mount_point = false;
      out.mount = 0;
      out.guest.clear();
      return out.host.assign(proc.view()) && out.host.push(path) ? 0 : -ENAMETOOLONG;
    }
  }
  const xlate::View view{table_, task.fs->root};
  return resolver_.resolve(view, start_.view(), path, final, confine, out);
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
  if (::stat(host.empty() ? "/" : host.data(), &st) != 0) return -errno;
  return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int Lookup::read_link(std::string_view host, std::string_view, xlate::Link& link) {
  int result = 0;
  if (xlate::is_below(host, "/proc") && read_proc_link(host, link, result)) return result;
  const ssize_t n = ::readlink(host.data(), link.target.data(), link.target.capacity());
  if (n < 0) return -errno;
  link.kind = xlate::LinkKind::text;
  link.target.set_size(static_cast<std::size_t>(n));
  return 0;
}

}  // namespace udk::engine
