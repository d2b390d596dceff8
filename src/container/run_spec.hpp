#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

// What to run, complete and resolved: the one thing that every engine takes. Plain values; nothing here refers to the
// store.
namespace udk::container {

enum class Access { read_write, read_only };

// A host file or directory that appears at a guest path. Both absolute and normalised; `host` exists.
struct Bind {
  std::string host;
  std::string guest;
  Access access = Access::read_write;
  bool listed = true;  // shown by a directory of the image that lacks it, at the price of slower listings
};

// Who the payload believes to be. Without privileges the kernel's ids never change: engines emulate.
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary
};

enum class Protocol { tcp, udp, sctp };

// A port that the payload binds as `container` and the host has as `host` (-p [IP:]HOST:CONTAINER[/PROTOCOL]).
struct PortMap {
  std::string address;  // the host's address that has it, "" = those that the payload binds
  std::uint16_t host = 0, container = 0;
  Protocol protocol = Protocol::tcp;
};

struct RunSpec {
  std::string container_id;       // "" with --location
  std::string root;               // host path of the guest's "/", canonical (realpath(3))
  std::vector<Bind> binds;        // a later one hides an earlier one at the same guest path
  std::vector<std::string> argv;  // guest words, at least one; argv[0] as the payload sees it
  std::string program;            // guest path of argv[0]'s file, absolute
  std::vector<std::string> env;   // "KEY=VALUE", the whole environment of the payload
  std::string cwd;                // guest path, absolute
  Identity identity;
  std::vector<PortMap> ports;
  bool publish_all = false;    // every port that the payload binds is some free port of the host
  std::vector<unsigned> cpus;  // sched_setaffinity(2); empty = as inherited
  std::string kernel_release;  // what uname(2) shall say, "" = the host's
  unsigned fast_after = 0;     // a program that has made so many calls about files serves them itself; 0 = never
};

}  // namespace udk::container
