#include "engine/ptrace/credentials.hpp"

#include <linux/securebits.h>

#include <cerrno>

namespace udk::engine {
namespace {

constexpr std::size_t k_groups_max = 65536;

Ids& ids_of(Credentials& c, IdKind kind) { return kind == IdKind::user ? c.uid : c.gid; }

bool may_set(const Credentials& c, IdKind kind) {
  return has_capability(c, kind == IdKind::user ? k_cap_setuid : k_cap_setgid);
}

bool is_any(const Ids& ids, std::uint32_t id) { return id == ids.real || id == ids.effective || id == ids.saved; }

// capabilities(7), "Effect of user ID changes on capabilities".
void adjust_capabilities(Credentials& c, const Ids& old) {
  if ((c.securebits & SECBIT_NO_SETUID_FIXUP) != 0) return;
  const bool had_root = old.real == 0 || old.effective == 0 || old.saved == 0;
  const bool has_root = c.uid.real == 0 || c.uid.effective == 0 || c.uid.saved == 0;
  if (had_root && !has_root) {
    if (!c.keep_capabilities) c.caps.permitted = c.caps.effective = 0;
    c.caps.ambient = 0;
  }
  if (old.effective == 0 && c.uid.effective != 0) c.caps.effective = 0;
  if (old.effective != 0 && c.uid.effective == 0) c.caps.effective = c.caps.permitted;
}

void commit(Credentials& c, IdKind kind, const Ids& now) {
  const Ids old = ids_of(c, kind);
  ids_of(c, kind) = now;
  ids_of(c, kind).fs = now.effective;
  if (kind == IdKind::user) adjust_capabilities(c, old);
}

}  // namespace

Credentials initial_credentials(const container::Identity& identity) {
  Credentials c;
  c.uid = {identity.uid, identity.uid, identity.uid, identity.uid};
  c.gid = {identity.gid, identity.gid, identity.gid, identity.gid};
  c.groups = identity.groups;
  c.caps.bounding = k_all_capabilities;
  if (identity.uid == 0) c.caps.effective = c.caps.permitted = k_all_capabilities;
  return c;
}

int set_id(Credentials& c, IdKind kind, std::uint32_t id) {
  if (id == k_unchanged) return -EINVAL;
  Ids ids = ids_of(c, kind);
  if (may_set(c, kind))
    ids.real = ids.saved = id;
  else if (id != ids.real && id != ids.saved)
    return -EPERM;
  ids.effective = id;
  commit(c, kind, ids);
  return 0;
}

int set_real_effective(Credentials& c, IdKind kind, std::uint32_t real, std::uint32_t effective) {
  const Ids old = ids_of(c, kind);
  Ids ids = old;
  const bool free = may_set(c, kind);
  if (real != k_unchanged) {
    if (!free && real != old.real && real != old.effective) return -EPERM;
    ids.real = real;
  }
  if (effective != k_unchanged) {
    if (!free && !is_any(old, effective)) return -EPERM;
    ids.effective = effective;
  }
  if (real != k_unchanged || (effective != k_unchanged && effective != old.real)) ids.saved = ids.effective;
  commit(c, kind, ids);
  return 0;
}

int set_all(Credentials& c, IdKind kind, std::uint32_t real, std::uint32_t effective, std::uint32_t saved) {
  Ids ids = ids_of(c, kind);
  const Ids old = ids;
  for (const std::uint32_t id : {real, effective, saved})
    if (id != k_unchanged && !may_set(c, kind) && !is_any(old, id)) return -EPERM;
  if (real != k_unchanged) ids.real = real;
  if (effective != k_unchanged) ids.effective = effective;
  if (saved != k_unchanged) ids.saved = saved;
  commit(c, kind, ids);
  return 0;
}

std::uint32_t set_fs(Credentials& c, IdKind kind, std::uint32_t id) {
  Ids& ids = ids_of(c, kind);
  const std::uint32_t old = ids.fs;
  if (id != k_unchanged && (may_set(c, kind) || is_any(ids, id) || id == ids.fs)) ids.fs = id;
  return old;
}

int set_groups(Credentials& c, const std::vector<gid_t>& groups) {
  if (!has_capability(c, k_cap_setgid)) return -EPERM;
  if (groups.size() > k_groups_max) return -EINVAL;
  c.groups = groups;
  return 0;
}

int set_capabilities(Credentials& c, std::uint64_t effective, std::uint64_t permitted, std::uint64_t inheritable) {
  const bool setpcap = has_capability(c, k_cap_setpcap);
  if (!setpcap && (inheritable & ~(c.caps.inheritable | c.caps.permitted)) != 0) return -EPERM;
  if ((inheritable & ~(c.caps.inheritable | c.caps.bounding)) != 0) return -EPERM;
  if ((permitted & ~c.caps.permitted) != 0 || (effective & ~permitted) != 0) return -EPERM;
  c.caps.effective = effective;
  c.caps.permitted = permitted;
  c.caps.inheritable = inheritable;
  c.caps.ambient &= permitted & inheritable;
  return 0;
}

void apply_exec(Credentials& c, std::optional<uid_t> set_uid, std::optional<gid_t> set_gid) {
  if (set_uid) c.uid.effective = *set_uid;
  if (set_gid) c.gid.effective = *set_gid;
  if (set_uid || set_gid) c.caps.ambient = 0;
  const bool root_rules = (c.securebits & SECBIT_NOROOT) == 0;
  std::uint64_t permitted = c.caps.ambient;
  bool effective = false;
  if (root_rules && (c.uid.real == 0 || c.uid.effective == 0)) {
    permitted |= c.caps.inheritable | c.caps.bounding;
    effective = c.uid.effective == 0;
  }
  c.caps.permitted = permitted;
  c.caps.effective = effective ? permitted : c.caps.ambient;
  c.uid.saved = c.uid.fs = c.uid.effective;
  c.gid.saved = c.gid.fs = c.gid.effective;
  c.keep_capabilities = false;
}

}  // namespace udk::engine
