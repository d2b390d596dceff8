#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "engine/ptrace/call_stop.hpp"
#include "engine/ptrace/structures.hpp"

// Identity: answered from the thread's emulated credentials.
namespace udk::engine {
namespace {

using xlate::Op;

// Applies a change to a copy, which replaces the thread's credentials if it succeeded.
template <class Change>
Next change(CallStop& stop, Change apply) {
  auto next = std::make_shared<Credentials>(*stop.task.credentials);
  const long result = apply(*next);
  if (result >= 0) stop.task.credentials = std::move(next);
  return answer(stop, result);
}

Next give_three(CallStop& stop, const Ids& ids) {
  const std::array<std::uint32_t, 3> values = {ids.real, ids.effective, ids.saved};
  for (int i = 0; i < 3; ++i)
    if (const int e = write_ids(stop, stop.arg(i), {values[static_cast<std::size_t>(i)]}); e != 0)
      return answer(stop, e);
  return answer(stop, 0);
}

Next on_getgroups(CallStop& stop) {
  const std::vector<gid_t>& groups = stop.task.credentials->groups;
  const int room = stop.int_arg(0);
  const auto count = static_cast<long>(groups.size());
  if (room < 0) return answer(stop, -EINVAL);
  if (room == 0) return answer(stop, count);
  if (room < count) return answer(stop, -EINVAL);
  const int e = write_ids(stop, stop.arg(1), groups);
  return answer(stop, e != 0 ? e : count);
}

Next on_setgroups(CallStop& stop) {
  const Word count = stop.arg(0);
  if (!has_capability(*stop.task.credentials, k_cap_setgid)) return answer(stop, -EPERM);
  if (count > 65536) return answer(stop, -EINVAL);
  std::vector<gid_t> groups(count);
  if (const int e = read_ids(stop, stop.arg(1), groups); e != 0) return answer(stop, e);
  return change(stop, [&](Credentials& c) { return set_groups(c, groups); });
}

// How many 32-bit words a header's version means; 0 if it is unknown.
unsigned words_of_version(std::uint32_t version) {
  if (version == _LINUX_CAPABILITY_VERSION_1) return 1;
  return version == _LINUX_CAPABILITY_VERSION_2 || version == _LINUX_CAPABILITY_VERSION_3 ? 2 : 0;
}

// Reads the header; with an unknown version writes the one that is known, as the kernel does.
int read_capability_header(CallStop& stop, __user_cap_header_struct& header, unsigned& words) {
  if (const int e = read_object(stop.task.tid, stop.arg(0), header); e != 0) return e;
  words = words_of_version(header.version);
  if (words != 0) return header.pid < 0 ? -EINVAL : 0;
  header.version = _LINUX_CAPABILITY_VERSION_3;
  const int e = write_object(stop.task.tid, stop.arg(0), header);
  return e != 0 ? e : -EINVAL;
}

Next on_capget(CallStop& stop) {
  __user_cap_header_struct header{};
  unsigned words = 0;
  const int e = read_capability_header(stop, header, words);
  if (e == -EINVAL && words == 0 && stop.arg(1) == 0) return answer(stop, 0);  // the way to ask for the version
  if (e != 0) return answer(stop, e);
  const Task* task = header.pid == 0 ? &stop.task : stop.run.tasks.find(header.pid);
  if (task == nullptr || !task->known) return answer(stop, -ESRCH);
  const Capabilities& caps = task->credentials->caps;
  std::array<__user_cap_data_struct, 2> data{};
  for (unsigned i = 0; i < 2; ++i)
    data[i] = {static_cast<std::uint32_t>(caps.effective >> 32 * i),
               static_cast<std::uint32_t>(caps.permitted >> 32 * i),
               static_cast<std::uint32_t>(caps.inheritable >> 32 * i)};
  return answer(stop, write_memory(stop.task.tid, stop.arg(1), data.data(), words * sizeof data[0]));
}

Next on_capset(CallStop& stop) {
  __user_cap_header_struct header{};
  unsigned words = 0;
  if (const int e = read_capability_header(stop, header, words); e != 0) return answer(stop, e);
  if (header.pid != 0 && header.pid != stop.task.tid) return answer(stop, -EPERM);
  std::array<__user_cap_data_struct, 2> data{};
  if (const int e = read_memory(stop.task.tid, stop.arg(1), data.data(), words * sizeof data[0]); e != 0)
    return answer(stop, e);
  auto whole = [&](std::uint32_t __user_cap_data_struct::*part) {
    return (std::uint64_t{data[1].*part} << 32 | data[0].*part) & k_all_capabilities;
  };
  return change(stop, [&](Credentials& c) {
    return set_capabilities(c, whole(&__user_cap_data_struct::effective), whole(&__user_cap_data_struct::permitted),
                            whole(&__user_cap_data_struct::inheritable));
  });
}

Next on_ambient(CallStop& stop) {
  const Word what = stop.arg(1);
  if (what == PR_CAP_AMBIENT_CLEAR_ALL) {
    return change(stop, [](Credentials& c) { return static_cast<long>(c.caps.ambient = 0); });
  }
  if (stop.arg(2) > k_last_capability) return answer(stop, -EINVAL);
  const std::uint64_t bit = std::uint64_t{1} << stop.arg(2);
  const Capabilities& caps = stop.task.credentials->caps;
  if (what == PR_CAP_AMBIENT_IS_SET) return answer(stop, (caps.ambient & bit) != 0 ? 1 : 0);
  if (what == PR_CAP_AMBIENT_LOWER)
    return change(stop, [&](Credentials& c) {
      c.caps.ambient &= ~bit;
      return 0L;
    });
  if (what != PR_CAP_AMBIENT_RAISE) return answer(stop, -EINVAL);
  if ((caps.permitted & caps.inheritable & bit) == 0) return answer(stop, -EPERM);
  return change(stop, [&](Credentials& c) {
    c.caps.ambient |= bit;
    return 0L;
  });
}

Next on_capability_option(CallStop& stop) {
  const Credentials& c = *stop.task.credentials;
  switch (stop.int_arg(0)) {
    case PR_GET_KEEPCAPS:
      return answer(stop, c.keep_capabilities ? 1 : 0);
    case PR_SET_KEEPCAPS:
      if (stop.arg(1) > 1) return answer(stop, -EINVAL);
      return change(stop, [&](Credentials& n) {
        n.keep_capabilities = stop.arg(1) == 1;
        return 0L;
      });
    case PR_CAPBSET_READ:
      if (stop.arg(1) > k_last_capability) return answer(stop, -EINVAL);
      return answer(stop, static_cast<long>(c.caps.bounding >> stop.arg(1) & 1U));
    case PR_CAPBSET_DROP:
      if (!has_capability(c, k_cap_setpcap)) return answer(stop, -EPERM);
      if (stop.arg(1) > k_last_capability) return answer(stop, -EINVAL);
      return change(stop, [&](Credentials& n) {
        n.caps.bounding &= ~(std::uint64_t{1} << stop.arg(1));
        return 0L;
      });
    case PR_GET_SECUREBITS:
      return answer(stop, static_cast<long>(c.securebits));
    case PR_SET_SECUREBITS:
      if (!has_capability(c, k_cap_setpcap)) return answer(stop, -EPERM);
      return change(stop, [&](Credentials& n) {
        n.securebits = static_cast<std::uint32_t>(stop.arg(1));
        return 0L;
      });
    default:
      return on_ambient(stop);
  }
}

Next on_prctl(CallStop& stop) {
  AddressSpace& memory = *stop.task.memory;
  switch (stop.int_arg(0)) {
    case PR_GET_DUMPABLE:
      return answer(stop, memory.dumpable ? 1 : 0);
    case PR_SET_DUMPABLE:
      if (stop.arg(1) > 1) return answer(stop, -EINVAL);
      memory.dumpable = stop.arg(1) == 1;
      return answer(stop, 0);
    case PR_SET_NO_NEW_PRIVS:
      if (stop.arg(1) != 1 || stop.arg(2) != 0 || stop.arg(3) != 0 || stop.arg(4) != 0) return answer(stop, -EINVAL);
      return change(stop, [](Credentials& c) {
        c.no_new_privileges = true;
        return 0L;
      });
    case PR_GET_NO_NEW_PRIVS:
      return answer(stop, stop.task.credentials->no_new_privileges ? 1 : 0);
    default:
      return stop.run.emulate_ids ? on_capability_option(stop) : Next::as_is;
  }
}

Next on_set_ids(CallStop& stop, IdKind kind, int how) {
  const std::uint32_t a = id_arg(stop, 0), b = id_arg(stop, 1), c = id_arg(stop, 2);
  return change(stop, [&](Credentials& n) -> long {
    if (how == 1) return set_id(n, kind, a);
    if (how == 2) return set_real_effective(n, kind, a, b);
    return set_all(n, kind, a, b, c);
  });
}

// The result is the id before.
Next on_set_fs(CallStop& stop, IdKind kind) {
  const std::uint32_t id = id_arg(stop, 0);
  return change(stop, [&](Credentials& n) { return static_cast<long>(shown_id(stop, set_fs(n, kind, id))); });
}

}  // namespace

Next on_id_call(CallStop& stop) {
  const Credentials& c = *stop.task.credentials;
  switch (stop.call.op) {
    case Op::getuid:
      return answer(stop, shown_id(stop, c.uid.real));
    case Op::geteuid:
      return answer(stop, shown_id(stop, c.uid.effective));
    case Op::getgid:
      return answer(stop, shown_id(stop, c.gid.real));
    case Op::getegid:
      return answer(stop, shown_id(stop, c.gid.effective));
    case Op::getresuid:
      return give_three(stop, c.uid);
    case Op::getresgid:
      return give_three(stop, c.gid);
    case Op::getgroups:
      return on_getgroups(stop);
    case Op::setgroups:
      return on_setgroups(stop);
    case Op::setuid:
      return on_set_ids(stop, IdKind::user, 1);
    case Op::setgid:
      return on_set_ids(stop, IdKind::group, 1);
    case Op::setreuid:
      return on_set_ids(stop, IdKind::user, 2);
    case Op::setregid:
      return on_set_ids(stop, IdKind::group, 2);
    case Op::setresuid:
      return on_set_ids(stop, IdKind::user, 3);
    case Op::setresgid:
      return on_set_ids(stop, IdKind::group, 3);
    case Op::setfsuid:
      return on_set_fs(stop, IdKind::user);
    case Op::setfsgid:
      return on_set_fs(stop, IdKind::group);
    case Op::capget:
      return on_capget(stop);
    case Op::capset:
      return on_capset(stop);
    default:
      return on_prctl(stop);
  }
}

}  // namespace udk::engine
