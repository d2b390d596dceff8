#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/limits.hpp"
#include "base/result.hpp"
#include "cli/literal.hpp"
#include "container/options.hpp"

namespace udk::cli {

// What the configuration is made from.
struct ConfigSources {
  std::string home;                                // the user's home directory, for ~/.udocker
  std::map<std::string, std::string> environment;  // of the process
  std::string system_file = "/etc/udocker.conf";
  std::string extra_file;          // --config=FILE, "" if not given
  std::string machine = "x86_64";  // uname(2), for the default execution mode
};

// From the process itself.
ConfigSources config_sources_of_process(std::string extra_file);
// A variable of the environment, "" if it is not set.
std::string variable_of(const ConfigSources& sources, const std::string& name);
// The user's directory of configuration by the XDG base directory specification; "" without a home.
std::string user_config_dir(const ConfigSources& sources);

// URLs of one registry.
struct RegistryRow {
  std::string registry, index;
};

// The configuration in force. Directories are absolute.
struct Config {
  int verbose_level = 3;
  std::string homedir, topdir;
  std::string bindir, libdir, docdir, reposdir, layersdir, containersdir;
  std::string keystore;
  std::string tmpdir;
  container::Settings run;             // cmd, paths, sysdirs_list, ... (with tmpdir)
  std::string default_execution_mode;  // one of P1 P2 F1 S1 R1
  std::string location;
  archive::Limits limits;  // what archives may cost
  std::string use_proot_executable, use_runc_executable, use_singularity_executable;
  std::string use_patchelf_executable, use_curl_executable;
  std::string fakechroot_so;
  std::string http_proxy, http_agent;
  bool http_insecure = false;
  int timeout = 12, ctimeout = 6, download_timeout = 1800, credential_helper_timeout = 60;  // seconds
  int fast_after = 32;  // calls of a program (container::RunSpec)
  std::map<std::string, RegistryRow> docker_registries;

  std::vector<std::pair<std::string, Literal>> values;  // every key in the order of `showconf`, as in force
  std::vector<std::string> warnings;                    // lines for the user: keys that nobody knows, ...

  // --repo=DIR: another top directory; the directories that no file or variable sets follow it.
  void use_topdir(const std::string& dir);
};

// Built-in defaults < system file (unless UDOCKER_NOSYSCONF) < <homedir>/udocker.conf < <topdir>/udocker.conf < extra
// file < environment. Code::usage names the file, line and key (or the variable) of a bad value; an unreadable file is
// an error, a missing one is not.
Result<Config> load_config(const ConfigSources& sources);

}  // namespace udk::cli
