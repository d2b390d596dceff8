#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "engine/ptrace/call_stop.hpp"

// open(2) in the guest's place: only of local files and directories, for reading. What else there is may block (a
// FIFO), belong to the process (a terminal), or mean it (/proc).
namespace udk::engine {
namespace {

bool must_open_itself(const Run& run, const xlate::Resolution& at) {
  return at.kernel_link || !run.local_mounts[at.mount] || xlate::is_below(at.host.view(), "/proc");
}

}  // namespace

Next open_for_guest(CallStop& stop) {
  const xlate::Resolution& at = stop.run.at;
  if (must_open_itself(stop.run, at)) return Next::hand_over;
  struct stat st {};
  if (::lstat(at.host.c_str(), &st) != 0) return answer(stop, -errno);
  if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return Next::hand_over;
  const auto flags = static_cast<int>(stop.flags());
  // Should it have become a FIFO or a terminal meanwhile, that neither blocks nor becomes ours.
  Fd file(::open(at.host.c_str(), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return answer(stop, -errno);
  if ((flags & O_NONBLOCK) == 0) {
    const int status = ::fcntl(file.get(), F_GETFL);
    if (::fcntl(file.get(), F_SETFL, status & ~O_NONBLOCK) != 0) return answer(stop, -errno);
  }
  const int number = stop.listener->give(stop.notification, file, (flags & O_CLOEXEC) != 0);
  // Ours goes first: what the guest does when it closes the file, as giving up a lock, takes effect at once.
  file.reset();
  return answer(stop, number);
}

}  // namespace udk::engine
