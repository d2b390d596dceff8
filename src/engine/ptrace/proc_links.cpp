#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "engine/ptrace/lookup.hpp"

// The links of /proc. "self" must mean the guest, not the tracer that reads them; the links to files (exe, cwd, root,
// fd/N) hold host paths, which the guest must see as its own.
namespace udk::engine {
namespace {

std::string_view first_part(std::string_view& rest) {
  std::size_t n = 0;
  while (n < rest.size() && rest[n] != '/') ++n;
  const std::string_view part = xlate::head(rest, n);
  rest = xlate::tail(rest, n < rest.size() ? n + 1 : n);
  return part;
}

bool parse_number(std::string_view text, pid_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value > 0;
}

}  // namespace

// "/proc/PID/WHAT" or "/proc/PID/task/TID/WHAT".
struct Lookup::ProcLink {
  pid_t pid = 0;
  std::string_view what;  // exe, cwd, root, fd
  bool parse(std::string_view rest) {
    if (!parse_number(first_part(rest), pid)) return false;
    what = first_part(rest);
    if (what == "task") {
      pid_t tid = 0;
      if (!parse_number(first_part(rest), tid)) return false;
      what = first_part(rest);
    }
    if (what == "fd" || what == "map_files") return !rest.empty() && rest.find('/') == std::string_view::npos;
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
  if (!what.parse(rest)) return false;
  result = follow_proc_link(what, host, link);
  return true;
}

int Lookup::follow_proc_link(const ProcLink& what, std::string_view host, xlate::Link& link) {
  PathText text;
  if (!read_kernel_link(host.data(), text)) return -errno;
  link.kind = xlate::LinkKind::jump;
  const Task* owner = tasks_.find_process(what.pid);
  if (what.what == "root") {  // of whatever process: the guest's view ends at its own root
    link.target.assign(owner != nullptr && !owner->fs->root.empty() ? owner->fs->root : "/");
    return 0;
  }
  if (what.what == "exe" && owner != nullptr && !owner->memory->exe.empty()) {
    link.target.assign(owner->memory->exe);
    return 0;
  }
  if (what.what == "fd" || what.what == "map_files") link.kind = xlate::LinkKind::open;
  xlate::GuestPath guest;
  if (!text.empty() && text.view().front() == '/' && table_.to_guest(text.view(), guest)) {
    link.target.assign(guest.empty() ? "/" : guest.view());
  } else if (link.kind == xlate::LinkKind::jump) {
    link.kind = xlate::LinkKind::open;  // no name in the guest: the kernel follows it
  }
  return 0;
}

}  // namespace udk::engine
