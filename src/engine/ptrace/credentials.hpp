#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/fd.hpp"
#include "container/run_spec.hpp"

// Who a guest process believes to be: credentials(7) as a value. Linux holds it for each thread; fork and clone copy
// it, exec keeps it but for the saved ids. The kernel's own ids never change.
namespace udk::engine {

struct Ids {
  std::uint32_t real = 0;
  std::uint32_t effective = 0;
  std::uint32_t saved = 0;
  std::uint32_t fs = 0;
};

struct Capabilities {
  std::uint64_t effective = 0;
  std::uint64_t permitted = 0;
  std::uint64_t inheritable = 0;
  std::uint64_t bounding = 0;
  std::uint64_t ambient = 0;
};

// The highest capability that emulated processes know (CAP_CHECKPOINT_RESTORE).
inline constexpr unsigned k_last_capability = 40;
inline constexpr std::uint64_t k_all_capabilities = (std::uint64_t{1} << (k_last_capability + 1)) - 1;

struct Credentials {
  Ids uid;
  Ids gid;
  std::vector<gid_t> groups;
  Capabilities caps;
  std::uint32_t securebits = 0;
  bool keep_capabilities = false;  // PR_SET_KEEPCAPS
  std::shared_ptr<Fd> login_uid;   // what was written to /proc/PID/loginuid
  bool no_new_privileges = false;  // PR_SET_NO_NEW_PRIVS by the guest; the kernel's own flag is always set
};

// Capability numbers of capabilities(7) that decide here.
enum Capability : unsigned {
  k_cap_chown = 0,
  k_cap_dac_override = 1,
  k_cap_fowner = 3,
  k_cap_fsetid = 4,
  k_cap_setgid = 6,
  k_cap_setuid = 7,
  k_cap_setpcap = 8,
  k_cap_sys_chroot = 18,
  k_cap_mknod = 27
};

[[nodiscard]] inline bool has_capability(const Credentials& c, Capability which) {
  return (c.caps.effective >> static_cast<unsigned>(which) & 1U) != 0;
}

// The start of a run: all capabilities for uid 0, none for others.
Credentials initial_credentials(const container::Identity& identity);

// The rules of setuid(2) and its family; 0 or -EPERM, -EINVAL. `unchanged` (-1) keeps a value.
inline constexpr std::uint32_t k_unchanged = ~std::uint32_t{0};
enum class IdKind : unsigned char { user, group };
int set_id(Credentials& c, IdKind kind, std::uint32_t id);
int set_real_effective(Credentials& c, IdKind kind, std::uint32_t real, std::uint32_t effective);
int set_all(Credentials& c, IdKind kind, std::uint32_t real, std::uint32_t effective, std::uint32_t saved);
// setfsuid(2): the previous value, whatever happens.
std::uint32_t set_fs(Credentials& c, IdKind kind, std::uint32_t id);
int set_groups(Credentials& c, const std::vector<gid_t>& groups);
int set_capabilities(Credentials& c, std::uint64_t effective, std::uint64_t permitted, std::uint64_t inheritable);
// What a successful exec changes; the ids are those of a set-user-id or set-group-id file.
void apply_exec(Credentials& c, std::optional<uid_t> set_uid = {}, std::optional<gid_t> set_gid = {});

}  // namespace udk::engine
