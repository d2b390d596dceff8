#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// passwd(5) and group(5) read by ourselves: glibc's functions would load NSS modules of the host into a static program.
namespace udk {

struct PasswdEntry {
  std::string name, gecos, home, shell;
  uid_t uid = 0;
  gid_t gid = 0;
};
struct GroupEntry {
  std::string name;
  gid_t gid = 0;
  std::vector<std::string> members;
};

// Malformed lines are skipped.
std::vector<PasswdEntry> parse_passwd(std::string_view text);
std::vector<GroupEntry> parse_group(std::string_view text);

// On the host: /etc/passwd and /etc/group first, then the output of `getent passwd|group KEY` for directory users
// (LDAP, SSSD).
std::optional<PasswdEntry> host_user(uid_t uid);
std::optional<PasswdEntry> host_user(const std::string& name);
std::optional<GroupEntry> host_group(gid_t gid);
std::optional<GroupEntry> host_group(const std::string& name);

}  // namespace udk
