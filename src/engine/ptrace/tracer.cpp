#include "engine/ptrace/tracer.hpp"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "base/log.hpp"
#include "engine/ptrace/call_info.hpp"
#include "engine/ptrace/child_news.hpp"
#include "engine/ptrace/core_dump.hpp"
#include "engine/ptrace/exec_plan.hpp"
#include "engine/ptrace/fast_calls.hpp"
#include "engine/ptrace/group_stop.hpp"
#include "engine/ptrace/signal_relay.hpp"
#include "xlate/call_tables.hpp"

namespace udk::engine {
namespace {

using xlate::Op;

constexpr time_t k_save_interval = 2;  // seconds

constexpr int k_call_signal = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD

void* as_data(long value) { return reinterpret_cast<void*>(value); }  // NOLINT(performance-no-int-to-ptr)

// Older kernels show only in which mode the guest runs, so that there an `int 0x80` of 64-bit code is misunderstood.
Abi abi_by_code(const Registers& regs) {
  constexpr Word k_user32_cs = 0x23;
  return regs.cs == k_user32_cs ? Abi::i386 : Abi::x86_64;
}

struct CloneCalls {
  Word clone, vfork, clone3;
};
constexpr CloneCalls k_clone_calls[] = {{SYS_clone, SYS_vfork, SYS_clone3}, {120, 190, 435}};

// clone(2) flags of the call that made a new task.
std::uint64_t clone_flags(const Task& parent, Registers& regs) {
  __ptrace_syscall_info info{};
  const Abi abi = call_info(parent.tid, info) ? abi_of_arch(info.arch) : abi_by_code(regs);
  const CloneCalls& calls = k_clone_calls[static_cast<std::size_t>(abi)];
  const Word first = as_word(abi, argument_register(regs, abi, 0));
  if (regs.orig_rax == calls.clone) return first;
  if (regs.orig_rax == calls.vfork) return CLONE_VM | CLONE_VFORK;
  std::uint64_t flags = 0;
  if (regs.orig_rax != calls.clone3 || read_object(parent.tid, first, flags) != 0) return 0;
  return flags;
}

}  // namespace

Result<int> Tracer::serve(const Launched& launched) {
  run_.payload = launched.pid;
  if (how_ == Interception::notify)
    TRY(serve_events());
  else
    serve_stops();
  save_owners(true);
  if (!started_) return fail(launch_error(launched, run_.spec, run_.exec_problem));
  return status_;
}

// To the end of the last process: also of a child whose first stop was still to come when the payload ended.
void Tracer::serve_stops() {
  for (;;) {
    int status = 0;
    const pid_t tid = ::waitpid(-1, &status, __WALL);
    if (tid > 0)
      on_status(tid, status);
    else if (errno != EINTR)
      return;
    save_owners(false);
  }
}

// Statuses as long as there are any; false: no process is left.
bool Tracer::serve_statuses() {
  for (;;) {
    int status = 0;
    const pid_t tid = ::waitpid(-1, &status, __WALL | WNOHANG);
    if (tid == 0) return true;
    if (tid > 0)
      on_status(tid, status);
    else if (errno != EINTR)
      return false;
  }
}

Result<> Tracer::serve_events() {
  TRY_ASSIGN(ChildNews news, ChildNews::create());
  while (serve_statuses()) {
    do {
      save_owners(false);
      if (news.wait(listener_)) on_notification();
    } while (!news.take());
  }
  return {};
}

// What a killed udocker would lose is kept small: changes wait for a moment only, in which there may be more.
void Tracer::save_owners(bool at_end) {
  if (!run_.owners.changed()) return;
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  if (!at_end && now.tv_sec < next_save_) return;
  next_save_ = now.tv_sec + k_save_interval;
  if (const auto saved = run_.owners.save(); !saved && at_end) log::error("owners of files: {}", saved.error().text);
}

void Tracer::on_status(pid_t tid, int status) {
  if (WIFEXITED(status) || WIFSIGNALED(status)) return on_end(tid, status);
  if (!WIFSTOPPED(status)) return;
  Task* task = run_.tasks.find(tid);
  if (task == nullptr) task = &run_.tasks.add(tid);  // a child whose parent's event comes later
  on_stop(*task, status);
}

void Tracer::on_end(pid_t tid, int status) {
  run_.tasks.remove(tid);
  if (tid != run_.payload) return;
  SignalRelay::payload_ended();
  status_ = status;
  ended_ = true;
  kill_all();
}

void Tracer::kill_all() {
  run_.tasks.for_each([](Task& task) { ::kill(task.tid, SIGKILL); });
}

void Tracer::on_stop(Task& task, int status) {
  const int signal = WSTOPSIG(status);
  if (ended_) {
    ::kill(task.tid, SIGKILL);
    return;
  }
  switch (status >> 16) {
    case PTRACE_EVENT_SECCOMP: {
      unsigned long data = 0;
      if (how_ == Interception::notify && !listener_ && !started_) start_listening(task);
      ::ptrace(PTRACE_GETEVENTMSG, task.tid, nullptr, &data);
      for (const Abi abi : xlate::k_abis)
        if (data == report_data(abi)) return on_entry(task, abi);
      return on_foreign_report(task);
    }
    case PTRACE_EVENT_EXEC:
      return on_exec(task);
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
      return on_new_task(task);
    case PTRACE_EVENT_STOP:
      return on_trap_stop(task, signal);
    case 0:
      break;
    default:
      return resume(task);
  }
  if (signal == k_call_signal) return on_call(task);
  if (!armed_ && signal == SIGSTOP && task.tid == run_.payload) {
    armed_ = true;
    return resume(task);
  }
  on_signal(task, signal);
}

// A call stop: with a filter only the return of a call that is watched, else every entry and return.
void Tracer::on_call(Task& task) {
  if (how_ != Interception::every) return on_exit(task);
  task.in_call = !task.in_call;
  __ptrace_syscall_info info{};
  const bool told = call_info(task.tid, info);
  if (told) task.in_call = info.op == PTRACE_SYSCALL_INFO_ENTRY;
  if (!task.in_call) return on_exit(task);
  if (told) return on_entry(task, abi_of_arch(info.arch));
  Registers regs{};
  if (::ptrace(PTRACE_GETREGS, task.tid, nullptr, &regs) == 0) on_entry(task, abi_by_code(regs));
}

// The first stop of a new task, the stop of a whole process, or the end of such a stop.
void Tracer::on_trap_stop(Task& task, int signal) {
  task.attached = true;
  task.stopped = stops_group(signal);
  if (!task.known) return;  // goes on when its parent's event came
  if (std::exchange(task.handed_over, false)) make_again(task);
  if (!task.stopped) return resume(task);
  ::ptrace(PTRACE_LISTEN, task.tid, nullptr, nullptr);
  if (task.tid == run_.payload) SignalRelay::follow_stop(task.tid, signal);
}

// The signal's frame must show the guest's own place, not a stub; a restarted call begins there too.
void Tracer::leave_stub(Task& task) {
  Registers regs{};
  if (::ptrace(PTRACE_GETREGS, task.tid, nullptr, &regs) != 0) return;
  Registers own = task.at_entry;
  if (LoaderImage::is_stub(task.memory->loader, regs.rip)) {
    own.rax = regs.rax;
    own.orig_rax = regs.orig_rax;
  } else if (regs.rip == LoaderImage::call_from(task.memory->loader)) {  // not begun yet
    own.rip -= k_syscall_size;
    own.rax = std::exchange(own.orig_rax, ~Word{0});
  } else {
    return;
  }
  ::ptrace(PTRACE_SETREGS, task.tid, nullptr, &own);
}

// A signal must find the guest at its own place. True: it was the guest's bad pointer in a call that the runtime has
// tried to serve; the kernel will say so.
bool Tracer::leave_runtime_for(Task& task, int signal) {
  Registers regs{};
  siginfo_t info{};
  if (!task.memory->fast.ready || ::ptrace(PTRACE_GETREGS, task.tid, nullptr, &regs) != 0) return false;
  if (!leave_runtime(task, regs)) return false;
  ::ptrace(PTRACE_SETREGS, task.tid, nullptr, &regs);
  return (signal == SIGSEGV || signal == SIGBUS) && ::ptrace(PTRACE_GETSIGINFO, task.tid, nullptr, &info) == 0 &&
         info.si_code > 0;
}

void Tracer::on_signal(Task& task, int signal) {
  if (leave_runtime_for(task, signal)) return resume(task);
  if (task.stubbed && task.memory->has_stubs())
    leave_stub(task);
  else if (how_ == Interception::notify && !std::exchange(task.interrupted, false))
    restart_withdrawn(task);
  task.stubbed = false;
  if (task.tgid == run_.payload) {
    siginfo_t info{};
    if (::ptrace(PTRACE_GETSIGINFO, task.tid, nullptr, &info) == 0 && !SignalRelay::wanted(signal, info)) signal = 0;
  }
  withhold_core(task, signal);
  resume(task, signal);
}

void Tracer::on_new_task(Task& parent) {
  unsigned long message = 0;
  Registers regs{};
  if (::ptrace(PTRACE_GETEVENTMSG, parent.tid, nullptr, &message) != 0 ||
      ::ptrace(PTRACE_GETREGS, parent.tid, nullptr, &regs) != 0)
    return;
  const std::uint64_t flags = clone_flags(parent, regs);
  const auto tid = static_cast<pid_t>(message);
  Task& child = run_.tasks.add(tid);
  child.tgid = (flags & CLONE_THREAD) != 0 ? parent.tgid : tid;
  if ((flags & CLONE_VM) != 0) {
    child.memory = parent.memory;
  } else {
    child.memory = std::make_shared<AddressSpace>(*parent.memory);
    child.memory->used.reset();
  }
  child.fs = (flags & CLONE_FS) != 0 ? parent.fs : std::make_shared<FileSystemState>(*parent.fs);
  child.credentials = parent.credentials;
  child.fast = parent.fast;
  child.known = true;
  if (child.attached) resume(child);
  if (parent.at_exit != AtExit::nothing) return resume_to_exit(parent);
  resume(parent);
}

void Tracer::on_exec(Task& stopped) {
  unsigned long former = 0;
  ::ptrace(PTRACE_GETEVENTMSG, stopped.tid, nullptr, &former);
  Task& task = static_cast<pid_t>(former) != stopped.tid && former != 0
                   ? run_.tasks.rename(static_cast<pid_t>(former), stopped.tid)
                   : stopped;
  const std::shared_ptr<ExecPlan> plan = std::move(task.plan);
  task.at_exit = AtExit::nothing;
  task.stubbed = false;
  if (!plan) return resume(task);
  release_scratch(task);
  task.memory = std::make_shared<AddressSpace>();
  task.memory->loader = plan->loader->base();
  task.memory->abi = plan->loader->abi();
  task.memory->scratch = plan->loader->scratch();
  task.memory->slots = k_slot_count;
  task.memory->exe = plan->program.empty() ? "/" : plan->program;
  auto credentials = std::make_shared<Credentials>(*task.credentials);
  apply_exec(*credentials, plan->set_uid, plan->set_gid);
  task.credentials = std::move(credentials);
  Registers regs{};
  if (::ptrace(PTRACE_GETREGS, task.tid, nullptr, &regs) != 0) return;
  if (write_exec_plan(run_, task, *plan, regs) != 0 || ::ptrace(PTRACE_SETREGS, task.tid, nullptr, &regs) != 0) {
    ::kill(task.tid, SIGKILL);
    return;
  }
  if (task.tid == run_.payload) started_ = true;
  task.held = plan;  // its descriptors live until the loader has opened them
  resume(task);
}

// A filter of the guest's own asks a tracer, and there is none that the guest knows of: ENOSYS (seccomp(2)).
void Tracer::on_foreign_report(Task& task) {
  Registers regs{};
  if (::ptrace(PTRACE_GETREGS, task.tid, nullptr, &regs) == 0) {
    regs.orig_rax = ~Word{0};
    regs.rax = static_cast<Word>(-ENOSYS);
    ::ptrace(PTRACE_SETREGS, task.tid, nullptr, &regs);
  }
  resume(task);
}

void Tracer::resume(Task& task, int signal) {
  const auto request = how_ != Interception::every || !armed_ ? PTRACE_CONT : PTRACE_SYSCALL;
  ::ptrace(request, task.tid, nullptr, as_data(signal));
}

void Tracer::resume_to_exit(Task& task) { ::ptrace(PTRACE_SYSCALL, task.tid, nullptr, nullptr); }

void Tracer::on_entry(Task& task, Abi abi) {
  Registers regs{};
  if (::ptrace(PTRACE_GETREGS, task.tid, nullptr, &regs) != 0) return;
  if (task.stubbed && LoaderImage::is_stub(task.memory->loader, regs.rip)) {
    // The kernel restarted a call at its return stub: take it as the guest made it.
    regs = task.at_entry;
  }
  task.stubbed = false;
  task.opened.reset();
  task.targets.clear();
  if (!task.memory->is_loader_call(regs.rip)) task.held.reset();
  static constexpr xlate::Call k_unknown{.name = "unknown", .op = Op::refuse, .error = ENOSYS};
  const xlate::Call* call = xlate::find_call(abi, as_word(abi, regs.orig_rax));
  CallStop stop{run_, task, call == nullptr ? k_unknown : *call, abi, regs};
  task.abi = abi;
  if (run_.fast) before_fast_call(stop);
  const Next next = how_ != Interception::every ? dispatch(stop) : serve_unfiltered(stop);
  if (run_.fast) after_fast_call(stop, regs);
  if (next != Next::as_is) ::ptrace(PTRACE_SETREGS, task.tid, nullptr, &stop.regs);
  task.stubbed = next == Next::run;
  if (next != Next::watch) return resume(task);
  if (task.at_exit == AtExit::nothing) task.at_exit = AtExit::restore;
  resume_to_exit(task);
}

// What is left to do for a call that has returned; `own` are the registers that the guest will see.
void Tracer::finish_call(Task& task, AtExit what, Registers& own) {
  const auto result = static_cast<long>(own.rax);
  switch (what) {
    case AtExit::nothing:
    case AtExit::restore:
    case AtExit::exec:
      return;
    case AtExit::listing:
    case AtExit::old_listing:
    case AtExit::list_position:
      own.rax = static_cast<Word>(on_list_exit(run_, task, what, result));
      return;
    case AtExit::unnamed_file:
      return on_unnamed_exit(run_, task, result);
    case AtExit::peer_credentials:
      return on_socket_option_exit(run_, task, result);
    default:
      own.rax = static_cast<Word>(on_socket_exit(run_, task, what, result));
      return;
  }
}

void Tracer::on_exit(Task& task) {
  task.in_call = false;
  const AtExit what = std::exchange(task.at_exit, AtExit::nothing);
  Registers regs{};
  if (::ptrace(PTRACE_GETREGS, task.tid, nullptr, &regs) != 0) return;
  if (what != AtExit::nothing) {
    task.plan.reset();
    release_run(task);
    Registers own = task.at_entry;
    own.rax = regs.rax;
    own.rip = regs.rip;
    if (task.abi == Abi::x86_64) {
      own.rcx = regs.rcx;
      own.r11 = regs.r11;
    }
    finish_call(task, what, own);
    task.interrupted = is_interrupted(own);
    ::ptrace(PTRACE_SETREGS, task.tid, nullptr, &own);
  }
  resume(task);
}

}  // namespace udk::engine
