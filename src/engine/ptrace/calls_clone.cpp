#include <linux/sched.h>

#include <cerrno>

#include "engine/ptrace/call_stop.hpp"

// New processes and threads. Namespaces are refused, as to a container without capabilities; that nobody traces a new
// process is not allowed either, and what else may be shared or not is the kernel's business.
namespace udk::engine {
namespace {

using xlate::Op;

bool asks_for_namespace(std::uint64_t flags) { return (flags & (xlate::k_namespace_flags | xlate::k_new_time)) != 0; }

// CLONE_UNTRACED means nothing to the guest, which has no tracer that it knows of.
Next on_clone(CallStop& stop) {
  constexpr int k_flags_at = 0;  // on both architectures
  const Word flags = stop.arg(k_flags_at);
  if ((flags & xlate::k_namespace_flags) != 0) return answer(stop, -EPERM);
  if ((flags & xlate::k_untraced) == 0) return Next::as_is;
  stop.task.at_entry = stop.regs;
  stop.set_arg(k_flags_at, flags & ~Word{xlate::k_untraced});
  return Next::watch;
}

// The flags are in memory, which stays changed: a call that returns twice has no better moment.
Next on_clone3(CallStop& stop) {
  std::uint64_t flags = 0;  // struct clone_args begins with them
  if (read_object(stop.task.tid, stop.arg(0), flags) != 0) return Next::as_is;
  if (asks_for_namespace(flags)) return answer(stop, -EPERM);
  if ((flags & xlate::k_untraced) == 0) return Next::as_is;
  flags &= ~std::uint64_t{xlate::k_untraced};
  return write_object(stop.task.tid, stop.arg(0), flags) == 0 ? Next::as_is : answer(stop, -EFAULT);
}

Next on_unshare(CallStop& stop) {
  const Word flags = stop.arg(0);
  if (asks_for_namespace(flags)) return answer(stop, -EPERM);
  if ((flags & CLONE_FS) != 0) stop.task.fs = std::make_shared<FileSystemState>(*stop.task.fs);
  return Next::as_is;
}

}  // namespace

Next on_clone_call(CallStop& stop) {
  switch (stop.call.op) {
    case Op::clone:
      return on_clone(stop);
    case Op::clone3:
      return on_clone3(stop);
    default:
      return on_unshare(stop);
  }
}

}  // namespace udk::engine
