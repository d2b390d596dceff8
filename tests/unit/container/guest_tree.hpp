#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/file.hpp"
#include "base/path.hpp"
#include "container/host_facts.hpp"
#include "container/volumes.hpp"
#include "unit/temp_dir.hpp"

namespace udk::test {

// Builds a small tree in a scratch directory.
class Tree {
 public:
  // realpath, because the temporary directory may be reached through a link.
  Tree() : path_(real_path(dir_.path()).value_or("")) {}
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_join(path_, name); }
  const Tree& dir(const std::string& name) const {
    EXPECT_TRUE(make_dirs(*this / name));
    return *this;
  }
  const Tree& file(const std::string& name, const std::string& content = "", mode_t mode = 0644) const {
    dir(std::string(path_dirname("/" + name)));
    EXPECT_TRUE(write_file_atomic(*this / name, content));
    EXPECT_EQ(::chmod((*this / name).c_str(), mode), 0);
    return *this;
  }
  const Tree& link(const std::string& target, const std::string& name) const {
    dir(std::string(path_dirname("/" + name)));
    EXPECT_TRUE(symlink_at(target, AT_FDCWD, *this / name));
    return *this;
  }

 private:
  TempDir dir_;
  std::string path_;
};

// A host with one user, whatever machine the test runs on.
inline container::HostFacts test_host() {
  container::HostFacts host;
  host.uid = 1234;
  host.gid = 1235;
  host.groups = {1235, 2000};
  host.user_name = "alice";
  host.home = "/home/alice";
  host.environment = {"TERM=xterm", "PATH=/host/bin", "HOME=/home/alice", "SECRET=1", "VTE_VERSION=7"};
  host.machine = "x86_64";
  host.cpus = {0, 1, 2, 3};
  host.accounts.user_by_name = [](const std::string& name) {
    return name == "ldap" ? std::optional(PasswdEntry{"ldap", "L", "/home/ldap", "/bin/bash", 7000, 7000})
                          : std::nullopt;
  };
  host.accounts.user_by_id = [](uid_t) { return std::optional<PasswdEntry>(); };
  host.accounts.group_by_name = [](const std::string&) { return std::optional<GroupEntry>(); };
  host.accounts.group_by_id = [](gid_t gid) {
    return gid == 1235 ? std::optional(GroupEntry{"staffers", 1235, {}}) : std::nullopt;
  };
  host.binfmt_dir = "/nonexistent";
  host.resolv_conf = "/nonexistent";
  return host;
}

// "level:text" of all notices.
inline std::string texts(const std::vector<container::Notice>& notices) {
  std::string out;
  for (const auto& notice : notices) out += std::to_string(static_cast<int>(notice.level)) + ":" + notice.text + "\n";
  return out;
}

}  // namespace udk::test
