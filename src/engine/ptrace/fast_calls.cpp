#include "engine/ptrace/fast_calls.hpp"

#include <linux/prctl.h>

#include <algorithm>

#include "engine/ptrace/fast_sites.hpp"
#include "engine/ptrace/ownership.hpp"

namespace udk::engine {
namespace {

using xlate::Op;

bool is_shown_to_guests(const Run& run, const xlate::Resolution& at) {
  if (at.kernel_link || at.nameless || !at.named()) return false;
  for (const char* special : {"/proc", "/dev", "/sys"})
    if (xlate::is_below(at.host.view(), special)) return false;
  return run.lookup.table()[at.mount].kind != xlate::MountKind::glue;
}

// The directory of the path that the call was about.
void publish_directory(CallStop& stop) {
  Run& run = stop.run;
  const std::string_view path = run.text.view();
  if (path.empty() || path.front() != '/') return;
  const std::string_view given = path.substr(0, path.rfind('/'));
  if (run.fast->knows(given)) return;
  if (run.lookup.path(stop.task, -1, given.empty() ? "/" : given, xlate::Final::follow, 0, run.at2) != 0) return;
  if (!is_shown_to_guests(run, run.at2) || run.lookup.check_dir(run.at2.host.view()) != 0) return;
  run.fast->publish(given, run.at2.host.view(), run.at2.guest.view() != given);
}

// Filters of the guest's own would judge the runtime's calls; without the time-stamp counter it could not work.
bool ends_fast(CallStop& stop) {
  if (stop.call.stop == xlate::Stop::no_listener) return true;
  return stop.call.op == Op::prctl && (stop.int_arg(0) == PR_SET_SECCOMP || stop.int_arg(0) == PR_SET_TSC);
}

}  // namespace

void begin_fast(Run& run) {
  if (run.fast_begun) return;
  run.fast_begun = true;
  run.owners.set_watcher([&run](dev_t device, ino_t inode) { run.fast->believe(device, inode); });
  run.owners.for_each_inode([&run](dev_t device, ino_t inode) { run.fast->believe(device, inode); });
  see_all_recorded(run);
  run.lookup.set_fast(&*run.fast);
}

void before_fast_call(CallStop& stop) {
  Run& run = stop.run;
  if (run.expected.empty()) return;
  // The call that was to make it has returned if its thread makes another one, or is gone.
  std::erase_if(run.expected, [&](const auto& file) {
    return see_recorded(run, file.second) || file.first == stop.task.tid || run.tasks.find(file.first) == nullptr;
  });
  run.fast->set_pending(!run.expected.empty());
}

void after_fast_call(CallStop& stop, const Registers& given) {
  Run& run = stop.run;
  Task& task = stop.task;
  if (!run.expected.empty()) run.fast->set_pending(true);
  if (ends_fast(stop)) task.fast = false;
  check_fast(run, task);
  if (stop.abi != Abi::x86_64 || !xlate::is_asked_in_guest(stop.call.op)) return;
  if (task.memory->fast.calls + 1 >= run.spec.fast_after) begin_fast(run);
  consider_site(run, task, given);
  if (task.memory->fast.ready && task.memory->fast.allowed) publish_directory(stop);
}

}  // namespace udk::engine
