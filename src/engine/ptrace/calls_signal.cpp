#include <cerrno>
#include <csignal>

#include "engine/ptrace/call_stop.hpp"

// kill(-1): all processes are those of the container. The kernel would send the signal to everything that the user
// runs on this host.
namespace udk::engine {

// As in a container the first process is init, which is spared (kill(2)), and so is the caller.
Next on_kill(CallStop& stop) {
  const int signal = stop.int_arg(1);
  if (signal < 0 || signal > SIGRTMAX) return answer(stop, -EINVAL);
  bool any = false;
  stop.run.tasks.for_each([&](const Task& task) {
    if (!task.known || task.tid != task.tgid || task.tgid == stop.task.tgid || task.tgid == stop.run.payload) return;
    if (::kill(task.tgid, signal) == 0) any = true;
  });
  return answer(stop, any ? 0 : -ESRCH);
}

}  // namespace udk::engine
