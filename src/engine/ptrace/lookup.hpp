#pragma once

#include <sys/types.h>

#include <array>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "engine/ptrace/fast_view.hpp"
#include "engine/ptrace/guest_view.hpp"
#include "engine/ptrace/plain_names.hpp"
#include "engine/ptrace/task_table.hpp"
#include "xlate/resolve.hpp"

// From the paths that guests use to host paths and back, for a given thread.
namespace udk::engine {

using PathText = xlate::FixedText<xlate::k_path_max>;

class Lookup {
 public:
  Lookup(const GuestView& view, TaskTable& tasks) : table_(view.table()), tasks_(tasks), resolver_(*this) {}

  [[nodiscard]] const xlate::MountTable& table() const { return table_; }

  // A path argument; `dir` is its directory descriptor or AT_FDCWD. 0 or -errno.
  int path(Task& task, int dir, std::string_view path, xlate::Final final, unsigned confine, xlate::Resolution& out);
  // The canonical guest path of the current directory or of an open directory. -ENOENT: it has none (deleted, or opened
  // outside of the guest); -ENAMETOOLONG; -EBADF.
  int directory(Task& task, int dir, xlate::GuestPath& guest);
  // The mount that an open file lies in, or lay in before it was deleted.
  std::size_t mount_of_open(const Task& task, int fd) const;
  // The target of a link as the guest shall read it (readlink(2)); `out` is its resolution, not followed.
  int link_text(Task& task, const xlate::Resolution& out, PathText& text);
  // The guest's name of a host path, inside the thread's root. False: it sees none.
  bool guest_name(const Task& task, std::string_view host, xlate::GuestPath& guest) const;

  // Whether the directory that holds a located name is one: the walk to it has not looked. Answers of our own come
  // behind this one. 0 or -errno.
  int check_parent(const xlate::Resolution& at);

  // Whether that directory was removed: nothing can be made in it. Only one without a name can have been.
  bool is_removed_parent(const xlate::Resolution& at);

  // The policy of xlate::Resolver.
  int read_link(std::string_view host, std::string_view guest, xlate::Link& link);
  int check_dir(std::string_view host);
  bool name_of_dir(std::string_view host, xlate::GuestPath& guest);
  [[nodiscard]] bool known_plain(std::string_view host) const { return plain_.knows(host); }
  void note_plain(std::string_view host) { plain_.note(host); }

  // The name of `at` was made or taken away, or (`moved`) a directory may have got another one.
  void name_changed(const xlate::Resolution& at, bool moved = false);
  // The name of `at`, which may be a symbolic link, was made.
  void link_made(const xlate::Resolution& at);
  // From now on told of the same.
  void set_fast(FastView* fast) { fast_ = fast; }

 private:
  struct ProcLink;
  bool read_proc_link(std::string_view host, xlate::Link& link, int& result);
  int follow_proc_link(const ProcLink& what, std::string_view host, xlate::Link& link);
  bool is_remembered_cwd(const Task& task, const char* proc);
  bool is_directory(const PathText& nameless);
  std::size_t mount_of_link(const PathText& proc) const;
  int shorten(xlate::HostPath& host);
  const char* callable(std::string_view host);

  xlate::MountTable table_;
  TaskTable& tasks_;
  xlate::Resolver<Lookup> resolver_;
  PlainNames plain_;
  FastView* fast_ = nullptr;
  Task* task_ = nullptr;  // for whom the walk is
  xlate::GuestPath start_;
  xlate::HostPath long_;
  std::array<Fd, 64> hops_;  // directories on the way to paths that are too long for one call
  std::size_t next_hop_ = 0;
};

// Appends the digits.
void append_number(PathText& text, long value);
// The kernel's text for an open directory or file; false if it has no name any more.
bool name_of_open(const char* proc, PathText& text);
// Text of a kernel link like /proc/PID/cwd; false if it cannot be read.
bool read_kernel_link(const char* path, PathText& text);
// The name itself, without what says that it has to be a directory.
xlate::HostPath without_slashes(std::string_view host);
// A descriptor that only names its file (O_PATH): the kernel refuses to do anything with the file through it. (Its link
// allows nothing, as does that of the rare one that was opened for neither reading nor writing.)
bool only_names(pid_t tid, int fd);
// "/proc/TID/cwd" or "/proc/TID/fd/N".
PathText proc_path(pid_t tid, int dir);

}  // namespace udk::engine
