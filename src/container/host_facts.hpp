#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/accounts.hpp"
#include "base/result.hpp"

namespace udk::container {

// The user database of the host: the two files and what a directory service knows beyond them.
struct HostAccounts {
  std::string passwd_file = "/etc/passwd";
  std::string group_file = "/etc/group";
  std::function<std::optional<PasswdEntry>(const std::string& name)> user_by_name;
  std::function<std::optional<PasswdEntry>(uid_t)> user_by_id;
  std::function<std::optional<GroupEntry>(const std::string& name)> group_by_name;
  std::function<std::optional<GroupEntry>(gid_t)> group_by_id;
};

// All that a run takes from the machine and from the process that starts it, so that tests can bring their own.
struct HostFacts {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;             // supplementary
  std::string user_name;                 // the number if the host has no name for it
  std::string home;                      // $HOME, else as in passwd; "" if neither is an absolute path
  std::vector<std::string> environment;  // "KEY=VALUE"
  std::string machine;                   // uname(2): "x86_64"
  std::vector<unsigned> cpus;            // where this process may run, ascending
  HostAccounts accounts;
  std::string binfmt_dir = "/proc/sys/fs/binfmt_misc";  // interpreters for foreign programs
  std::string resolv_conf = "/etc/resolv.conf";
};

// Asks the kernel, the environment and the user database. Only a kernel that refuses the basic questions is an error.
Result<HostFacts> collect_host_facts();

}  // namespace udk::container
