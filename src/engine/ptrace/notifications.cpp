#include <sys/ptrace.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "base/log.hpp"
#include "engine/ptrace/call_info.hpp"
#include "engine/ptrace/fast_calls.hpp"
#include "engine/ptrace/tracer.hpp"
#include "xlate/call_tables.hpp"

// Calls that the filter hands over. Their threads wait in the kernel, not stopped: there is memory to read and write,
// but there are no registers to change. A call that the guest must make itself after all is turned into a stop.
namespace udk::engine {
namespace {

// The result of a call that is restarted whatever the handler of the signal says (linux/errno.h).
constexpr int k_restart_always = 513;  // ERESTARTNOINTR

Registers registers_of(const seccomp_data& call, Abi abi) {
  Registers regs{};
  regs.orig_rax = static_cast<std::uint32_t>(call.nr);
  regs.rax = static_cast<Word>(-ENOSYS);
  regs.rip = call.instruction_pointer;
  for (int i = 0; i < 6; ++i) argument_register(regs, abi, i) = call.args[i];
  return regs;
}

}  // namespace

// The first stop of the first process is its exec, behind its filter.
void Tracer::start_listening(const Task& task) {
  auto taken = take_listener(task.tid);
  if (taken) {
    listener_ = std::move(*taken);
    return;
  }
  log::error("{}", taken.error().text);
  ::kill(task.tid, SIGKILL);
}

void Tracer::on_notification() {
  seccomp_notif call{};
  if (!listener_.receive(call)) return;  // a signal has taken it back
  Task* task = run_.tasks.find(static_cast<pid_t>(call.pid));
  const Abi abi = abi_of_arch(call.data.arch);
  const xlate::Call* row = xlate::find_call(abi, static_cast<std::uint32_t>(call.data.nr));
  if (task == nullptr || !task->known || row == nullptr) return listener_.answer(call.id, -ENOSYS);
  if (ended_) {
    ::kill(task->tid, SIGKILL);
    return;
  }
  task->stubbed = false;
  task->held.reset();
  const Registers given = registers_of(call.data, abi);
  CallStop stop{run_, *task, *row, abi, given, &listener_, call.id};
  if (run_.fast) before_fast_call(stop);
  const Next next = dispatch(stop);
  if (run_.fast) after_fast_call(stop, given);
  switch (next) {
    case Next::answer:
      return listener_.answer(call.id, static_cast<long>(stop.regs.rax));
    case Next::as_is:
      return listener_.let_run(call.id);
    case Next::run:
    case Next::watch:
    case Next::hand_over:
      return hand_over(*task, call.id);
  }
}

// Its thread leaves the call for a restart, and stops on the way.
void Tracer::hand_over(Task& task, std::uint64_t notification) {
  task.handed_over = true;
  ::ptrace(PTRACE_INTERRUPT, task.tid, nullptr, nullptr);
  listener_.answer(notification, -k_restart_always);
}

// That stop: the call is made from a place in the guest whose calls are reported, and served as if it came from its
// own.
void Tracer::make_again(Task& task) {
  Registers regs{};
  if (::ptrace(PTRACE_GETREGS, task.tid, nullptr, &regs) != 0) return;
  if (static_cast<int>(regs.rax) != -k_restart_always || !task.memory->has_stubs()) return;
  task.at_entry = regs;
  task.at_entry.rax = static_cast<Word>(-ENOSYS);
  task.stubbed = true;
  regs.rip = LoaderImage::call_from(task.memory->loader);
  regs.rax = std::exchange(regs.orig_rax, ~Word{0});
  ::ptrace(PTRACE_SETREGS, task.tid, nullptr, &regs);
}

// A signal is about to be delivered. A call that was taken back by it, before it was received, is one that the kernel
// itself would not have interrupted: it is made again whatever the handler says.
void Tracer::restart_withdrawn(const Task& task) {
  Registers regs{};
  __ptrace_syscall_info info{};
  if (::ptrace(PTRACE_GETREGS, task.tid, nullptr, &regs) != 0) return;
  if (!is_interrupted(regs) || regs.orig_rax == ~Word{0}) return;
  if (!call_info(task.tid, info)) return;
  const Abi abi = abi_of_arch(info.arch);
  const xlate::Call* row = xlate::find_call(abi, as_word(abi, regs.orig_rax));
  if (row == nullptr || filter_verdict(abi, *row, run_.filter) != Verdict::notify) return;
  regs.rax = static_cast<Word>(-k_restart_always);
  ::ptrace(PTRACE_SETREGS, task.tid, nullptr, &regs);
}

}  // namespace udk::engine
