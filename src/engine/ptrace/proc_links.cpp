#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/ptrace/lookup.hpp"
#include "engine/ptrace/proc_files.hpp"

// The links of /proc. "self" must mean the guest, not the tracer that reads them; the links to files (exe, cwd, root,
// fd/N) hold host paths, which the guest must see as its own.
namespace udk::engine {

// "/proc/PID/WHAT" or "/proc/PID/task/TID/WHAT".
struct Lookup::ProcLink {
  pid_t pid = 0;
  std::string_view what;  // exe, cwd, root, fd, map_files, ns
  bool parse(std::string_view host) {
    const auto file = ProcFile::parse(host);
    if (!file) return false;
    pid = file->process;
    const std::size_t slash = std::min(file->name.find('/'), file->name.size());
    what = file->name.substr(0, slash);
    const std::string_view rest = file->name.substr(std::min(slash + 1, file->name.size()));
    if (what == "fd" || what == "map_files" || what == "ns")
      return !rest.empty() && rest.find('/') == std::string_view::npos;
    return rest.empty() && (what == "exe" || what == "cwd" || what == "root");
  }
};

bool Lookup::read_proc_link(std::string_view host, xlate::Link& link, int& result) {
  const std::string_view rest = xlate::tail(host, std::string_view("/proc/").size());
  result = 0;
  link.kind = xlate::LinkKind::text;
  link.target.clear();
  if (rest == "self" || rest == "thread-self") {
    append_number(link.target, task_->tgid);
    if (rest != "self") {
      link.target.append("/task/");
      append_number(link.target, task_->tid);
    }
    return true;
  }
  ProcLink what;
  if (!what.parse(host)) return false;
  result = follow_proc_link(what, host, link);
  return true;
}

int Lookup::follow_proc_link(const ProcLink& what, std::string_view host, xlate::Link& link) {
  PathText text;
  errno = 0;
  const bool named = name_of_open(host.data(), text);
  const int error = errno;
  const Task* owner = tasks_.find_process(what.pid);
  if (!named && text.empty()) {  // not told; the kernel tells no name of 4096 bytes or more, but can follow the link
    if (error != ENAMETOOLONG) return error != 0 ? -error : -ENOENT;
    if (what.what == "cwd" && owner != nullptr && is_remembered_cwd(*owner, host.data()) &&
        link.target.assign(owner->fs->guest_cwd)) {
      link.kind = xlate::LinkKind::jump;
      return 0;
    }
    link.kind = xlate::LinkKind::open;
    PathText proc;
    if (proc.assign(host)) link.mount = static_cast<int>(mount_of_link(proc));
    return 0;
  }
  link.kind = xlate::LinkKind::jump;
  link.gone = !named;
  if (what.what == "root") {  // of whatever process: the guest's view ends at its own root
    link.target.assign(owner != nullptr && !owner->fs->root.empty() ? owner->fs->root : "/");
    return 0;
  }
  if (what.what == "exe" && owner != nullptr && !owner->memory->exe.empty()) {
    link.target.assign(owner->memory->exe);
    return 0;
  }
  if (what.what == "fd" || what.what == "map_files" || what.what == "ns") {
    link.kind = xlate::LinkKind::open;
    struct stat st {};  // an open symbolic link is where it is, but leads nowhere
    if (named && ::lstat(text.c_str(), &st) == 0 && S_ISLNK(st.st_mode)) link.gone = true;
  }
  xlate::GuestPath guest;
  if (!text.empty() && text.view().front() == '/' && table_.to_guest(text.view(), guest)) {
    link.target.assign(guest.empty() ? "/" : guest.view());
  } else {
    link.gone = false;
  }
  if (link.target.empty() || link.gone)
    link.kind = xlate::LinkKind::open;  // nothing there in the guest: the kernel follows
  return 0;
}

}  // namespace udk::engine
