#pragma once

#include <sys/types.h>

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "engine/ptrace/credentials.hpp"
#include "engine/ptrace/fast_sites.hpp"
#include "engine/ptrace/loader_image.hpp"
#include "engine/ptrace/registers.hpp"

// What the tracer knows of the guest's threads. State that threads share as they share it in Linux is behind a
// shared_ptr: address space (CLONE_VM), file system state (CLONE_FS).
namespace udk::engine {

// An address space.
struct AddressSpace {
  std::uint64_t loader = 0;   // base of the loader in it; 0: none
  Abi abi = Abi::x86_64;      // of the loader, as of the program
  std::uint64_t scratch = 0;  // slots for translated paths
  std::size_t slots = 0;
  std::bitset<k_slot_count> used;
  std::string exe;  // guest path of the program
  Word auxv = 0;    // its auxiliary vector on the stack
  std::size_t auxv_size = 0;
  bool dumpable = true;  // what prctl(PR_GET_DUMPABLE) says
  FastSpace fast;

  // Only the loader of 64-bit programs has return stubs; without them calls with a changed register stop twice.
  [[nodiscard]] bool has_stubs() const { return loader != 0 && abi == Abi::x86_64; }
  // Whether an address is behind the loader's own system call instruction.
  [[nodiscard]] bool is_loader_call(Word ip) const {
    return loader != 0 && ip == LoaderImage::syscall_end(abi, loader);
  }
};

// Current directory and root. The kernel's own current directory is the truth; this remembers under which of several
// names the guest entered it.
struct FileSystemState {
  std::string host_cwd, guest_cwd;            // after the last chdir, if it succeeded
  std::string host_previous, guest_previous;  // before it
  std::string root;                           // guest path of the root after chroot(2), "" normally
};

// What to do when a call that was let go returns.
enum class AtExit : std::uint8_t {
  nothing,
  restore,
  exec,
  listing,
  old_listing,
  list_position,
  unnamed_file,
  long_bind,
  address_error,
  socket_name,
  message_name,
  messages_control,
  messages_copied,
  messages_sent,
  peer_credentials
};

struct ExecPlan;

struct Task {
  pid_t tid = 0;
  pid_t tgid = 0;
  bool attached = false;  // its first stop was seen
  bool known = false;     // its parent's event was seen: the state below is set
  bool stopped = false;   // with its process, by a signal
  bool fast = true;       // the runtime may serve its calls, also after an exec
  std::shared_ptr<AddressSpace> memory;
  std::shared_ptr<FileSystemState> fs;
  std::shared_ptr<const Credentials> credentials;  // copied on change
  int slot = -1;
  std::size_t run_first = 0, run_count = 0;  // slots side by side, for the exec that is under way

  AtExit at_exit = AtExit::nothing;
  bool in_call = false;                // plain ptrace: the next call stop is an exit
  Registers at_entry{};                // as the guest made the call that is running, if at_exit or stubbed
  Abi abi = Abi::x86_64;               // of that call
  bool stubbed = false;                // the running call returns through a stub
  bool interrupted = false;            // a watched call has returned because of a signal, whose stop comes next
  bool handed_over = false;            // a notified call that shall stop, so that the guest makes it itself
  std::array<Word, 4> extra{};         // for the action at the exit
  std::string rename_from, rename_to;  // of a socket that was bound under another name
  std::shared_ptr<ExecPlan> plan;      // of the exec that is under way
  std::shared_ptr<ExecPlan> held;      // of the last exec, until the loader is done
  std::shared_ptr<Fd> opened;          // a file made for the open that is under way
  std::vector<Fd> targets;             // sockets that the call under way names by our descriptors
};

}  // namespace udk::engine
