#include "path_world.hpp"

#include <algorithm>
#include <utility>

namespace udk::xlate::fuzz {
namespace {

constexpr std::size_t k_max_nodes = 64;
constexpr std::size_t k_max_mounts = 12;
constexpr std::size_t k_max_queries = 16;
constexpr unsigned k_all_confine = 31;

// "/n/cwd/../x" -> "/n/x"
std::string without_dotdot(std::string_view host) {
  std::string done;
  for (std::size_t at = 0; at < host.size();) {
    const std::size_t end = std::min(host.find('/', at + 1), host.size());
    const std::string_view part = host.substr(at, end - at);
    if (part == "/..")
      done.erase(std::min(done.rfind('/'), done.size()));
    else
      done += part;
    at = end;
  }
  return done;
}

// Begins with a slash, has neither "." nor ".." nor an empty component; "" is "/".
bool canonical(const std::string& path) {
  if (path.empty()) return true;
  if (path.front() != '/' || path.back() == '/' || path.size() >= k_path_max) return false;
  const std::string closed = path + "/";
  return closed.find("//") == std::string::npos && closed.find("/./") == std::string::npos &&
         closed.find("/../") == std::string::npos;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// "" is how the path code writes "/".
std::string as_written(std::string_view path) { return path == "/" ? std::string() : std::string(path); }

// Whether all directories on the way to this host path are directories or can be made.
bool has_room(World& world, const std::string& host) {
  if (!canonical(host) || host.empty() || world.host.kind(host) != NodeKind::missing) return false;
  for (std::string up = parent_of(host); !up.empty(); up = parent_of(up)) {
    const NodeKind kind = world.host.kind(up);
    if (kind != NodeKind::missing) return kind == NodeKind::dir;
  }
  return true;
}

struct Words {
  std::string_view first;
  std::string_view rest;
};
Words split_word(std::string_view text) {
  const std::size_t space = std::min(text.find(' '), text.size());
  return {text.substr(0, space), text.substr(std::min(space + 1, text.size()))};
}

void add_node(World& world, char what, const std::string& host, std::string_view text) {
  if (text.size() >= k_path_max || !has_room(world, host)) return;
  if (what == 'd') world.host.tree().dir(host);
  if (what == 'f') world.host.tree().file(host);
  if (what == 'l') world.host.tree().link(host, std::string(text));
}

// The kernel tells where its links lead by names without links, or, of an open file, by none.
void add_kernel_link(World& world, LinkKind kind, const std::string& host, const std::string& target) {
  const bool unknown = kind == LinkKind::open && target.empty();
  if (!has_room(world, host) || (!unknown && !settled(world, as_written(target)))) return;
  world.host.tree().kernel_link(host, kind, target);
}

// Whether this mount is one that a table may hold: the directories above it exist in the guest's view, and the source
// holds no links. Whoever builds a table sees to that.
bool may_mount(World& world, const WorldMount& mount) {
  for (const WorldMount& other : world.mounts)
    if (other.guest == mount.guest) return false;
  const std::string up = parent_of(mount.guest);
  std::size_t in = 0;
  if (!settled(world, up) || world.host.kind(host_of(world, up, in)) != NodeKind::dir) return false;
  for (std::string part = mount.host; !part.empty(); part = parent_of(part)) {
    const NodeKind there = world.host.kind(part);
    if (there != NodeKind::dir && (there != NodeKind::file || part != mount.host)) return false;
  }
  return true;
}

// Judges the mounts from the outer to the inner ones, and keeps them in the order that they were written in.
void add_mounts(World& world, const std::vector<WorldMount>& wanted) {
  std::vector<const WorldMount*> sorted;
  for (const WorldMount& mount : wanted) sorted.push_back(&mount);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return a->guest.size() < b->guest.size(); });
  for (const WorldMount* mount : sorted)
    if (may_mount(world, *mount)) world.mounts.push_back(*mount);
  const auto place = [&](const WorldMount& mount) {
    return std::find_if(wanted.begin(), wanted.end(),
                        [&](const WorldMount& w) { return w.guest == mount.guest && w.host == mount.host; });
  };
  std::stable_sort(world.mounts.begin() + 1, world.mounts.end(),
                   [&](const WorldMount& a, const WorldMount& b) { return place(a) < place(b); });
}

unsigned digit(std::string_view word) {
  if (word.empty()) return 0;
  const char c = word.front();
  return static_cast<unsigned>(c >= 'a' ? c - 'a' + 10 : c - '0') & k_all_confine;
}

void add_query(World& world, char final, std::string_view text) {
  const auto [confine, path] = split_word(text);
  world.queries.push_back({std::string(path),
                           final == 'F'   ? Final::follow
                           : final == 'K' ? Final::keep
                                          : Final::parent,
                           digit(confine)});
}

// The lines that begin with one of these letters, cut to words.
struct Line {
  char what;
  std::string_view rest;  // behind the letter
  std::string path;       // its first word, "" for "/"
  std::string_view text;  // what follows that word
};
std::vector<Line> lines_of(std::string_view text, std::string_view letters, std::size_t limit) {
  std::vector<Line> lines;
  for (std::size_t at = 0; at < text.size() && lines.size() < limit;) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (line.empty() || letters.find(line.front()) == std::string_view::npos) continue;
    const std::string_view rest = split_word(line).rest;
    const auto [first, second] = split_word(rest);
    lines.push_back({line.front(), rest, as_written(first), second});
  }
  return lines;
}

void read_mounts(World& world, std::string_view text) {
  std::vector<WorldMount> wanted;
  for (const Line& line : lines_of(text, "mg", k_max_mounts)) {
    if (line.path.empty() || !canonical(line.path)) continue;
    if (line.what == 'm' && canonical(as_written(line.text)))
      wanted.push_back({line.path, as_written(line.text), MountKind::bind});
    const std::string glue = "/glue/" + std::to_string(wanted.size());
    if (line.what != 'g' || !has_room(world, glue)) continue;
    world.host.tree().dir(glue);
    wanted.push_back({line.path, glue, MountKind::glue});
  }
  add_mounts(world, wanted);
}

void read_starts(World& world, std::string_view text) {
  for (const Line& line : lines_of(text, "RCN", k_max_nodes)) {
    std::size_t mount = 0;
    if (line.what == 'N')
      world.nameless = "/n/a";
    else if (settled(world, line.path) && world.host.kind(host_of(world, line.path, mount)) == NodeKind::dir)
      (line.what == 'R' ? world.root : world.start) = line.path;
  }
}

}  // namespace

NodeKind WorldHost::kind(std::string_view host) {
  if (check_dir(host) == 0) return NodeKind::dir;
  Link link;
  const int e = tree_.read_link(without_dotdot(host), {}, link);
  if (e == 0) return link.kind == LinkKind::text ? NodeKind::text_link : NodeKind::kernel_link;
  if (e == -EINVAL) return NodeKind::file;
  return e == -ENOTDIR ? NodeKind::not_below_dir : NodeKind::missing;
}

int WorldHost::read_link(std::string_view host, std::string_view, Link& link) {
  asked_.emplace(host);
  return tree_.read_link(without_dotdot(host), {}, link);
}

int WorldHost::check_dir(std::string_view host) {
  const std::string path = without_dotdot(host);
  if (path.empty()) return 0;
  // What lies below a file or a link tells so before anything else.
  Link link;
  const int e = tree_.read_link(path, {}, link);
  return e == -EINVAL ? tree_.check_dir(path) : (e == 0 ? -ENOTDIR : e);
}

std::set<std::string> WorldHost::take_asked() { return std::exchange(asked_, {}); }

World read_world(std::string_view text) {
  World world;
  world.host.tree().dir("/r").dir("/n/a");
  world.mounts.push_back({"", "/r", MountKind::root});
  // The mounts need the tree, what follows needs both.
  for (const Line& line : lines_of(text, "dfl", k_max_nodes)) add_node(world, line.what, line.path, line.text);
  read_mounts(world, text);
  for (const Line& line : lines_of(text, "jo", k_max_nodes))
    add_kernel_link(world, line.what == 'j' ? LinkKind::jump : LinkKind::open, line.path, std::string(line.text));
  read_starts(world, text);
  for (const Line& line : lines_of(text, "FKP", k_max_queries)) add_query(world, line.what, line.rest);
  return world;
}

std::string host_of(const World& world, const std::string& guest, std::size_t& mount) {
  // Upwards from the whole path: the first name that is a mount is the longest.
  for (std::string name = guest;; name = parent_of(name)) {
    for (mount = 0; mount < world.mounts.size(); ++mount)
      if (world.mounts[mount].guest == name) return world.mounts[mount].host + guest.substr(name.size());
  }
}

bool settled(World& world, const std::string& guest) {
  if (!canonical(guest)) return false;
  std::size_t mount = 0;
  for (std::string part = guest; !part.empty(); part = parent_of(part)) {
    const NodeKind kind = world.host.kind(host_of(world, part, mount));
    if (kind != NodeKind::dir && (kind != NodeKind::file || part != guest)) return false;
  }
  return true;
}

}  // namespace udk::xlate::fuzz
