#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/ptrace/fast_view.hpp"
#include "engine/ptrace/filter.hpp"
#include "engine/ptrace/listener.hpp"
#include "engine/ptrace/listings.hpp"
#include "engine/ptrace/lookup.hpp"
#include "engine/ptrace/memory.hpp"
#include "engine/ptrace/owner_table.hpp"
#include "engine/ptrace/port_table.hpp"
#include "engine/ptrace/registers.hpp"
#include "engine/ptrace/socket_names.hpp"
#include "engine/ptrace/task.hpp"
#include "xlate/calls.hpp"

// One system call of a guest that waits at its entry, and what the handlers decide about it.
namespace udk::engine {

enum class Next : std::uint8_t {
  as_is,     // the kernel does the call as the guest made it
  answer,    // the call is not made; the result is in the registers
  run,       // made with changed registers, which a return stub puts back
  watch,     // made with changed registers; stop again when it returns
  hand_over  // of a notification: the guest must make the call itself, so it has to stop
};

// What the handlers need of the run as a whole.
struct Run {
  Run(const container::RunSpec& s, const GuestView& v, TaskTable& t, Lookup& l)
      : spec(s), view(v), tasks(t), lookup(l), ports(s) {}

  const container::RunSpec& spec;
  const GuestView& view;
  TaskTable& tasks;
  Lookup& lookup;
  bool emulate_ids = false;
  bool filtered = false;  // by a seccomp filter of ours
  uid_t host_uid = 0;
  gid_t host_gid = 0;
  pid_t payload = 0;
  FilterOptions filter;
  LoaderImages loaders;
  SocketNames sockets;
  OwnerTable owners;
  PortTable ports;
  bool passes_credentials = false;  // a guest has asked for SO_PASSCRED
  Listings listings;
  std::optional<FastView> fast;                         // guests may serve calls about files themselves
  bool fast_begun = false;                              // some do
  std::vector<std::pair<pid_t, std::string>> expected;  // files that a thread makes, of which something is believed
  std::vector<bool> local_mounts;                       // for each mount, whether its files are local
  std::string exec_problem;                             // of the last exec that failed
  // Buffers of the calls, reused: only one stop is handled at a time.
  xlate::Resolution at, at2;
  PathText text, text2;
  std::vector<char> data;
};

struct CallStop {
  Run& run;
  Task& task;
  const xlate::Call& call;
  Abi abi;
  Registers regs;  // of a notification: number, arguments and instruction pointer alone
  // Of a notification: who is to be answered. Null: the thread is stopped by ptrace.
  const Listener* listener = nullptr;
  std::uint64_t notification = 0;

  [[nodiscard]] Word arg(int i) { return as_word(abi, argument_register(regs, abi, i)); }
  [[nodiscard]] int int_arg(int i) { return static_cast<int>(arg(i)); }
  void set_arg(int i, Word value) { argument_register(regs, abi, i) = value; }
  // A directory descriptor argument; AT_FDCWD if the call has none.
  [[nodiscard]] int dir_arg(int i);
  // The value of the call's flags argument, 0 if it has none.
  [[nodiscard]] unsigned flags() { return call.flags < 0 ? 0U : static_cast<unsigned>(arg(call.flags)); }
};

// The result without the call.
Next answer(CallStop& stop, long result);

// Reads the path argument `index` into `text`: 0 or -errno.
int fetch_path(CallStop& stop, int index, PathText& text);
// Reads and translates the call's first path (`dir`, `path` of its row) into run.at.
int locate(CallStop& stop, xlate::Final final);
// How the row and the flags treat a link at the end.
xlate::Final final_of(CallStop& stop);

// Makes the call with another path in argument `index`.
Next run_with_path(CallStop& stop, int index, std::string_view host);
// A path that makes the kernel give this answer, or null.
const char* path_to_error(int error);
// The walk along the path argument `index` ended with this error: the kernel gives it, behind the errors of the other
// arguments that it looks at before.
Next run_with_error(CallStop& stop, int index, int error);
// Makes the call with another pointer, into the thread's scratch memory, in argument `index` (0 to 4).
Next run_with_pointer(CallStop& stop, int index, Word pointer);
// Whether the guest's pointers reach an address.
bool can_point_to(const CallStop& stop, Word address);
// Memory of the guest that holds a copy of `size` bytes until the call has begun; 0 if it cannot be had.
Word put_scratch(CallStop& stop, const void* data, std::size_t size, std::size_t offset = 0);

// -EACCES if what is recorded of its directory forbids the guest to make a name, or if it is `there` to remove it.
// Names that are not as expected get other errors, from the call itself.
int check_folder_change(CallStop& stop, const xlate::Resolution& at, bool there);
// What is at a located name itself, whatever slashes follow it. 0 or -errno.
int stat_name(const xlate::Resolution& at, struct stat& st);
// Whether the directory that holds the name is on a read-only mount.
bool read_only_name(const Run& run, const xlate::Resolution& at);
// What is wrong with a new name, as filename_create() of Linux says it, for names about which a call on the host would
// say something else. `directory`: slashes may follow it. 0 or -errno.
int check_new_name(CallStop& stop, const xlate::Resolution& at, bool directory = false);
// -EROFS or -EBUSY if the call's effect is not allowed at this place, else 0.
int check_effect(CallStop& stop, const xlate::Resolution& at);

// Handlers by topic.
Next on_path_call(CallStop& stop);       // run, open, open2, mkdir, mknod, chdir, chroot
Next on_stat_call(CallStop& stop);       // stat, statx, fstat, access, readlink, statfs, getcwd, uname
Next on_xattr_call(CallStop& stop);      // getxattr, listxattr
Next open_for_guest(CallStop& stop);     // open of what was located, notified
Next on_name_call(CallStop& stop);       // unlink, rmdir, rename, link, symlink
Next on_inode_call(CallStop& stop);      // chmod, chown, utime and their descriptor forms
Next on_socket_call(CallStop& stop);     // addresses
Next on_address_result(CallStop& stop);  // those of them that return one
Next on_socket_option(CallStop& stop);   // socket options about credentials
Next on_id_call(CallStop& stop);         // identity, prctl
Next on_clone_call(CallStop& stop);      // clone, clone3, unshare
Next on_kill(CallStop& stop);            // kill(2) of all processes
Next on_list_call(CallStop& stop);       // getdents, lseek
Next on_exec_call(CallStop& stop);

// At the return of a call that was watched.
void on_unnamed_exit(Run& run, Task& task, long result);
// These two give the result that the guest shall get.
long on_socket_exit(Run& run, Task& task, AtExit what, long result);
long on_list_exit(Run& run, Task& task, AtExit what, long result);
void on_socket_option_exit(Run& run, Task& task, long result);

// The credentials of an SCM_CREDENTIALS message, on their way out and in (unix(7)).
// Replaces the ids that the guest believes in by those that the kernel accepts of it; 0 or -EPERM.
int send_credentials(CallStop& stop, std::span<std::byte> control);
void receive_credentials(Run& run, Abi abi, std::span<std::byte> control);

}  // namespace udk::engine
