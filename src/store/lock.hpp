#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace udk::store {

enum class LockMode { shared, exclusive };

// How long to wait for what another process holds, and whom to tell.
struct Waiting {
  std::optional<std::chrono::milliseconds> timeout;  // none: for ever; 0: not at all
  // Called once per wait, before it: "waiting for process 4711 on node7, which holds ...". May be empty.
  std::function<void(const std::string& line)> notify;
};

// An advisory lock on a file name, between processes and, on network file systems, between nodes. It ends with its
// object or its process, however that dies.
//
// Local file systems: flock(2) on the lock file. Network file systems, where flock may be local to the node, and all
// that refuse it (ENOLCK, EOPNOTSUPP, ENOSYS, EINVAL): a lease, a symlink whose text names host, process, start time
// and boot; it is taken over from a dead process of this host at once, from another host when it was not renewed for
// k_lease_time by the clock of the file system.
class Lock {
 public:
  static constexpr std::chrono::seconds k_lease_time{300};

  // Makes the lock file `name` in the directory `dir` (a path) and takes it. Code::busy when `waiting` ends first; the
  // text names the holder where it is known. `what` is for messages: "the download of sha256:...".
  static Result<Lock> acquire(const std::string& dir, const std::string& name, LockMode mode, const Waiting& waiting,
                              const std::string& what);

  // Removes the files of locks in `dir` whose names end in ".lock" and that nobody alive holds.
  static void sweep(const std::string& dir);

  Lock(Lock&&) noexcept;
  Lock& operator=(Lock&&) noexcept;
  ~Lock();

  // To be called now and then while the lock is held for long: renews a lease when a quarter of its time has passed,
  // costs nothing otherwise. Code::busy if the lease was lost to another holder, whose work must not be disturbed.
  Result<> renew();
  // True if the lock was taken over from a holder that may still be alive (an expired lease): what it left behind must
  // not be continued.
  [[nodiscard]] bool taken_over() const;

 private:
  struct State;
  explicit Lock(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace udk::store
