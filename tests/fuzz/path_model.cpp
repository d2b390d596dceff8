#include "path_model.hpp"

#include <algorithm>
#include <vector>

namespace udk::xlate::fuzz {
namespace {

constexpr std::size_t k_guest_max = 8191;
constexpr std::size_t k_host_max = 16383;

// Where the walk stands: names below the guest's "/" or, in a directory that has no name, below that directory after
// `above` steps up from it.
struct Place {
  bool nameless = false;
  std::size_t above = 0;
  std::vector<std::string> names;
  std::string base;  // of a nameless place: where its names begin
};

class Walk {
 public:
  Walk(World& world, const Query& query) : world_(world), query_(query) {}

  Answer run() {
    answer_.error = walk();
    if (answer_.error != 0) return answer_;
    answer_.nameless = at_.nameless;
    answer_.guest = guest();
    if (answer_.host.empty()) answer_.host = host();
    if (!at_.nameless && !answer_.kernel_link) (void)host_of(world_, answer_.guest, answer_.mount);
    finish();
    return answer_;
  }

 private:
  enum class Next { again, done };

  [[nodiscard]] bool confined(unsigned flag) const { return (query_.confine & flag) != 0; }
  [[nodiscard]] std::string joined() const {
    std::string all;
    for (const std::string& name : at_.names) all += "/" + name;
    return all;
  }
  [[nodiscard]] std::string guest() const { return at_.nameless ? std::string() : joined(); }
  [[nodiscard]] std::string host() {
    if (!at_.nameless) return host_of(world_, joined(), mount_);
    std::string all = at_.base;
    for (std::size_t i = 0; i < at_.above; ++i) all += "/..";
    return all + joined();
  }
  void go(const std::string& guest) {
    at_ = {};
    for (std::size_t i = 0; i < guest.size();) {
      const std::size_t end = std::min(guest.find('/', i + 1), guest.size());
      at_.names.push_back(guest.substr(i + 1, end - i - 1));
      i = end;
    }
    answer_.last = Last::root;
  }
  void go_to_start() {
    go(world_.start);
    if (world_.nameless.empty()) return;
    at_ = {};
    at_.nameless = true;
    at_.base = world_.nameless;
  }
  void go_to_root() { confined(k_in_start) ? go_to_start() : go(world_.root); }

  // Lengths are checked where the buffers are.
  [[nodiscard]] bool fits() { return guest().size() <= k_guest_max && host().size() <= k_host_max; }

  // Which mount the walk is in; nameless directories belong to the first.
  std::size_t mount() {
    if (at_.nameless) return 0;
    (void)host();
    return mount_;
  }

  int walk() {
    rest_ = query_.path;
    if (rest_.empty()) return -ENOENT;
    if (rest_.size() >= k_path_max) return -ENAMETOOLONG;
    if (rest_.front() == '/' && confined(k_beneath)) return -EXDEV;
    if (rest_.front() == '/')
      go_to_root();
    else
      go_to_start();
    root_known_ = rest_.front() == '/' || confined(k_in_start | k_beneath);
    while (next_ == Next::again) {
      rest_.erase(0, std::min(rest_.find_first_not_of('/'), rest_.size()));
      if (rest_.empty()) return 0;
      const std::size_t end = std::min(rest_.find('/'), rest_.size());
      const std::string name = rest_.substr(0, end);
      rest_.erase(0, end);
      slashes_ = !rest_.empty();
      // Slashes alone are no further component.
      const bool final = rest_.find_first_not_of('/') == std::string::npos;
      if (const int e = name == "." ? dot() : name == ".." ? up() : down(name, final); e != 0) return e;
    }
    return 0;
  }

  int dot() {
    answer_.last = Last::dot;
    return world_.host.check_dir(host());
  }

  int up() {
    if (const int e = world_.host.check_dir(host()); e != 0) return e;
    answer_.last = Last::dotdot;
    root_known_ = true;
    if (at_floor()) return confined(k_beneath) ? -EXDEV : 0;
    if (at_.nameless) {
      if (at_.names.empty())
        ++at_.above;
      else
        at_.names.pop_back();
      return fits() ? 0 : -ENAMETOOLONG;
    }
    if (at_.names.empty()) return 0;
    const std::size_t before = mount();
    at_.names.pop_back();
    return confined(k_one_mount) && mount() != before ? -EXDEV : (fits() ? 0 : -ENAMETOOLONG);
  }

  // Whether ".." would leave what the walk is confined to.
  bool at_floor() {
    if (!confined(k_in_start | k_beneath)) return !at_.nameless && joined() == world_.root;
    if (at_.nameless) return at_.above == 0 && at_.names.empty();
    return world_.nameless.empty() && joined() == world_.start;
  }

  int down(const std::string& name, bool final) {
    const bool follows = query_.final == Final::follow || (query_.final == Final::keep && slashes_);
    const int in_dir = world_.host.check_dir(host());
    const std::size_t before = mount();
    at_.names.push_back(name);
    answer_.last = Last::name;
    if (!fits()) return -ENAMETOOLONG;
    const NodeKind kind = world_.host.kind(host());
    if (mount() != before) return confined(k_one_mount) ? -EXDEV : 0;
    if (final && (!follows || in_dir != 0)) return stop();
    if (in_dir != 0) return in_dir;
    if (kind == NodeKind::text_link || kind == NodeKind::kernel_link) return follow(final);
    if (final) return stop();
    return kind == NodeKind::missing ? -ENOENT : 0;
  }

  int stop() {
    next_ = Next::done;
    return 0;
  }

  int follow(bool final) {
    if (++links_ > k_link_limit || confined(k_no_links)) return -ELOOP;
    Link link;
    (void)world_.host.read_link(host(), {}, link);
    const std::string target(link.target.view());
    if (link.kind != LinkKind::text) return follow_kernel(link.kind, target, final);
    if (target.empty()) return -ENOENT;
    if (target.front() == '/' && confined(k_beneath)) return -EXDEV;
    // One slash stands for those that were behind the link.
    rest_.erase(0, std::min(rest_.find_first_not_of('/'), rest_.size()));
    rest_ = target + (slashes_ ? "/" : "") + rest_;
    if (rest_.size() > k_host_max) return -ENAMETOOLONG;
    at_.names.pop_back();
    answer_.last = Last::dot;
    if (target.front() != '/') return 0;
    const std::size_t before = mount();
    go_to_root();
    const bool same = root_known_ && mount() == before;
    root_known_ = true;
    return confined(k_one_mount) && !same ? -EXDEV : 0;
  }

  int follow_kernel(LinkKind kind, const std::string& target, bool final) {
    if (confined(k_no_kernel_links)) return -ELOOP;
    if (confined(k_beneath | k_in_start | k_one_mount)) return -EXDEV;
    const std::string guest = target == "/" ? "" : target;
    if (kind == LinkKind::jump || (!final && !target.empty())) {
      go(guest);
      answer_.last = Last::name;
      answer_.jumped = true;
      return 0;
    }
    if (!final) {
      const std::string base = host();
      at_ = {};
      at_.nameless = true;
      at_.base = base;
      return 0;
    }
    answer_.kernel_link = true;
    answer_.mount = mount();
    if (!target.empty()) (void)host_of(world_, guest, answer_.mount);
    return stop();
  }

  // How the end of what was written is told to the kernel.
  void finish() {
    answer_.trailing_slash = answer_.last == Last::name && slashes_;
    for (const WorldMount& each : world_.mounts)
      answer_.mount_point = answer_.mount_point || (!at_.nameless && each.guest == answer_.guest);
    if (at_.nameless && at_.names.empty() && !answer_.kernel_link)
      answer_.host += "/.";
    else if (answer_.host.empty() || answer_.trailing_slash)
      answer_.host += "/";
  }

  World& world_;
  const Query& query_;
  Answer answer_;
  Place at_;
  std::string rest_;
  bool slashes_ = false;  // behind the last name
  Next next_ = Next::again;
  unsigned links_ = 0;
  std::size_t mount_ = 0;
  bool root_known_ = false;
};

}  // namespace

Answer model_resolve(World& world, const Query& query) { return Walk(world, query).run(); }

}  // namespace udk::xlate::fuzz
