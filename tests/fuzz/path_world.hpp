#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unit/xlate/memory_host.hpp"
#include "xlate/resolve.hpp"

// The input of the path translation's fuzz target: a host tree, what the guest sees of it, and paths to be resolved,
// written as lines so that mutations stay meaningful and seeds can be read.
namespace udk::xlate::fuzz {

enum class NodeKind { missing, not_below_dir, dir, file, text_link, kernel_link };

// The host tree. A path below a nameless directory may hold "..", which is taken by its letters: those directories hold
// no links on the way up.
class WorldHost {
 public:
  int read_link(std::string_view host, std::string_view guest, Link& link);
  int check_dir(std::string_view host);
  static bool name_of_dir(std::string_view, GuestPath&) { return false; }
  [[nodiscard]] bool known_plain(std::string_view host) const {
    return remembers_ && plain_.contains(std::string(host));
  }
  void note_plain(std::string_view host) { plain_.insert(std::string(host)); }

  NodeKind kind(std::string_view host);
  // Whether the resolver may rely on what it noted of earlier paths.
  void remember(bool yes) { remembers_ = yes; }
  // Every host path that the resolver looked at since the last call.
  std::set<std::string> take_asked();
  test::MemoryHost& tree() { return tree_; }

 private:
  test::MemoryHost tree_;
  std::set<std::string> asked_;
  std::set<std::string> plain_;
  bool remembers_ = false;
};

// A mount whose texts are its own.
struct WorldMount {
  std::string guest;
  std::string host;
  MountKind kind = MountKind::bind;
};

struct Query {
  std::string path;
  Final final = Final::follow;
  unsigned confine = 0;
};

struct World {
  WorldHost host;
  std::vector<WorldMount> mounts;  // the first is the root
  std::string root;                // what "/" means; as `start`, a directory's canonical guest path
  std::string start;
  std::string nameless;  // if not empty: the host path that the relative paths begin at
  std::vector<Query> queries;
};

// Lines, one each; what would break a promise of the resolver's callers is left out:
//   d HOST | f HOST | l HOST TEXT           directory, file, symbolic link
//   j HOST GUEST | o HOST [GUEST]           kernel link to a named directory or file; to an open file
//   m GUEST HOST | g GUEST                  bind; glue
//   R GUEST | C GUEST | N                   root; current directory; or one that has no name
//   F|K|P CONFINE PATH                      a path to resolve: follow, keep or parent; CONFINE is one digit or letter
// The root is the host's /r, nameless starts are its /n/a. HOST and GUEST begin with a slash; TEXT and PATH are what is
// left of the line.
World read_world(std::string_view text);

// The host path of a canonical guest path by the longest mount, and which mount that is.
std::string host_of(const World& world, const std::string& guest, std::size_t& mount);

// Whether the guest path is canonical, exists, and no part of it is a link.
bool settled(World& world, const std::string& guest);

}  // namespace udk::xlate::fuzz
