#pragma once

#include <optional>
#include <string>
#include <vector>

#include "container/run_spec.hpp"

// What the user, the configuration and the store say about one run. Plain values.
namespace udk::container {

// Which container: filled in from the store by the caller.
struct ContainerInfo {
  std::string id;                  // "" with --location
  std::string root;                // host path of ROOT
  std::string metadata;            // text of container.json, "" for none
  std::string mode;                // "P1"
  std::vector<std::string> names;  // aliases
};

// --volumes-from NAME[:ro|:rw], looked up by the caller.
struct VolumesFrom {
  std::string name;      // as the user wrote it, for messages
  std::string root;      // host path of that container's ROOT
  std::string metadata;  // text of its container.json
  Access access = Access::read_write;
};

// The options of `run` that shape the RunSpec, as the user typed them.
struct RunOptions {
  std::vector<std::string> volumes;       // HOST[:CONTAINER][:option,...]
  std::vector<std::string> novol;         // host part or whole text of an entry of the volume list
  std::vector<VolumesFrom> volumes_from;  // in the order of the command line
  std::vector<std::string> env;           // K=V, or K for the host's value
  std::vector<std::string> env_files;
  std::vector<std::string> dns, dns_search;
  std::vector<std::string> publish;  // [ip:]host:container[/protocol]
  bool publish_all = false;
  std::vector<std::string> words;         // the command and its arguments
  std::optional<std::string> entrypoint;  // nullopt: the image's; "": neither Entrypoint nor Cmd
  std::string user;                       // "" = the image's
  std::string workdir;                    // "" = the image's
  std::string cpuset_cpus;                // "0-3,7"
  std::string kernel;                     // release that uname(2) shall tell
  bool host_auth = false;                 // --hostauth: accounts of the host
  bool container_auth = false;            // --containerauth: nothing bound over passwd and group
  bool no_sysdirs = false;
  bool host_env = false;
  bool bind_home = false;
  bool dri = false;
  bool no_meta = false;
  bool interactive = false;  // -i
  bool tty = false;          // -t
};

// Defaults that the configuration can change; the names are those of its keys.
struct Settings {
  std::vector<std::string> cmd{"bash", "-i"};
  std::string root_path = "/usr/sbin:/sbin:/usr/bin:/bin";
  std::string user_path = "/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";
  std::vector<std::string> sysdirs_list{"/dev", "/proc", "/sys", "/etc/resolv.conf", "/etc/host.conf", "/lib/modules"};
  std::vector<std::string> dri_list{"/usr/lib64/dri", "/lib64/dri", "/usr/lib/dri", "/lib/dri"};
  std::vector<std::string> valid_host_env{"TERM", "PATH", "PROOT_TMP_DIR"};
  std::vector<std::string> invalid_host_env{"VTE_VERSION"};
  std::string tmpdir = "/tmp";
};

}  // namespace udk::container
