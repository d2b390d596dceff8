#include <array>
#include <cerrno>

#include "engine/ptrace/tracer.hpp"
#include "xlate/call_tables.hpp"

// Which handler a call belongs to.
namespace udk::engine {

using xlate::Op;

// What the filter would have decided, then the call itself.
Next Tracer::serve_unfiltered(CallStop& stop) {
  const xlate::Call& call = stop.call;
  if (stop.task.memory->is_loader_call(stop.regs.rip)) return Next::as_is;
  switch (filter_verdict(stop.abi, call, run_.filter)) {
    case Verdict::refuse:
      return answer(stop, -static_cast<long>(call.error));
    case Verdict::pass:
      return Next::as_is;
    case Verdict::by_argument:
      break;
    case Verdict::report:
    case Verdict::notify:
      return dispatch(stop);
  }
  switch (call.stop) {
    case xlate::Stop::prctl_option:
      return xlate::is_special_prctl(stop.arg(0)) ? dispatch(stop) : Next::as_is;
    case xlate::Stop::credential_option:
      return xlate::is_credential_option(stop.arg(1), stop.arg(2)) ? dispatch(stop) : Next::as_is;
    case xlate::Stop::no_audit:
      return xlate::is_audit_socket(stop.arg(0), stop.arg(2)) ? answer(stop, -EPROTONOSUPPORT) : Next::as_is;
    case xlate::Stop::everybody:
      return stop.int_arg(0) == -1 ? dispatch(stop) : Next::as_is;
    case xlate::Stop::no_listener:
      return xlate::is_new_listener(stop.arg(0), stop.arg(1)) ? answer(stop, -EINVAL) : Next::as_is;
    default:
      return dispatch(stop);
  }
}

// A socket call of i386 behind the one number that all have. The arguments are fetched from memory, and if the call is
// changed, it is made by its own number, with the arguments in registers (Linux 4.3).
Next Tracer::serve_socketcall(CallStop& stop) {
  const xlate::SocketCall* which = xlate::find_socket_call(stop.arg(0));
  const xlate::Call* call = which == nullptr ? nullptr : xlate::find_call(Abi::i386, which->number);
  std::array<std::uint32_t, 6> args{};
  if (call == nullptr || read_memory(stop.task.tid, stop.arg(1), args.data(), which->count * sizeof args[0]) != 0)
    return Next::as_is;
  CallStop inner{stop.run, stop.task, *call, Abi::i386, stop.regs};
  inner.regs.orig_rax = which->number;
  for (std::size_t i = 0; i < args.size(); ++i) inner.set_arg(static_cast<int>(i), args[i]);
  const Next next = serve_unfiltered(inner);
  if (next == Next::answer) return answer(stop, static_cast<long>(inner.regs.rax));
  if (next == Next::as_is) return Next::as_is;
  stop.task.at_entry = stop.regs;
  stop.regs = inner.regs;
  return next;
}

Next Tracer::dispatch(CallStop& stop) {
  switch (stop.call.op) {
    case Op::pass:
    case Op::refuse:
      return Next::as_is;
    case Op::run:
    case Op::open:
    case Op::open2:
    case Op::mkdir:
    case Op::mknod:
    case Op::truncate:
    case Op::chdir:
    case Op::chroot:
      return on_path_call(stop);
    case Op::exec:
      return on_exec_call(stop);
    case Op::stat:
    case Op::statx:
    case Op::fstat:
    case Op::access:
    case Op::readlink:
    case Op::statfs:
    case Op::getcwd:
    case Op::uname:
      return on_stat_call(stop);
    case Op::getxattr:
    case Op::listxattr:
      return on_xattr_call(stop);
    case Op::unlink:
    case Op::rmdir:
    case Op::rename:
    case Op::link:
    case Op::symlink:
      return on_name_call(stop);
    case Op::chmod:
    case Op::chown:
    case Op::utime:
    case Op::utimes:
    case Op::utimensat:
    case Op::fchmod:
    case Op::fchown:
    case Op::fchange:
      return on_inode_call(stop);
    case Op::list:
    case Op::seek:
      return on_list_call(stop);
    case Op::bind:
    case Op::connect:
    case Op::sendto:
    case Op::recvfrom:
    case Op::sendmsg:
    case Op::recvmsg:
    case Op::sendmmsg:
    case Op::recvmmsg:
    case Op::sockname:
      return on_socket_call(stop);
    case Op::socketcall:
      return serve_socketcall(stop);
    case Op::clone:
    case Op::clone3:
    case Op::unshare:
      return on_clone_call(stop);
    case Op::kill:
      return on_kill(stop);
    case Op::getsockopt:
    case Op::setsockopt:
      return on_socket_option(stop);
    default:
      return on_id_call(stop);
  }
}

}  // namespace udk::engine
