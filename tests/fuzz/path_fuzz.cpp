// Guest paths in trees and mounts of any shape. What the resolver answers is what a simple model of path resolution
// answers; it stays in the guest's root and mounts, is canonical, and leads back to the same name.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "path_model.hpp"
#include "path_world.hpp"
#include "xlate/resolve.hpp"

namespace {

using namespace udk::xlate;
using fuzz::NodeKind;
using fuzz::Query;

// One input: its world, and the resolver as its users keep it, with one result that is used again and again.
class Check {
 public:
  explicit Check(std::string_view text) : world_(fuzz::read_world(text)), resolver_(world_.host) {
    for (const fuzz::WorldMount& mount : world_.mounts) mounts_.push_back({mount.guest, mount.host, mount.kind, false});
  }

  void run() {
    for (const bool remembers : {false, true}) {
      world_.host.remember(remembers);
      for (const Query& query : world_.queries) check(query);
    }
  }

 private:
  [[nodiscard]] View view() const { return {{mounts_.data(), mounts_.size()}, world_.root}; }
  [[nodiscard]] std::string host() const { return std::string(at_.host.view()); }
  [[nodiscard]] std::string guest() const { return std::string(at_.guest.view()); }

  void require(bool holds, const char* what) const {
    if (holds) return;
    std::fprintf(stderr, "%s: path \"%s\", final %d, confine %u\n", what, query_->path.c_str(),
                 static_cast<int>(query_->final), query_->confine);
    std::fprintf(stderr, "resolver: error %d, guest \"%s\", host \"%s\"\n", error_, guest().c_str(), host().c_str());
    std::fprintf(stderr, "model:    error %d, guest \"%s\", host \"%s\"\n", model_.error, model_.guest.c_str(),
                 model_.host.c_str());
    std::abort();
  }

  void check(const Query& query) {
    query_ = &query;
    model_ = model_resolve(world_, query);
    (void)world_.host.take_asked();
    error_ = resolver_.resolve(view(), {world_.start, world_.nameless}, query.path, query.final, query.confine, at_);
    for (const std::string& asked : world_.host.take_asked()) require(is_visible(asked), "looked outside");
    require(error_ == model_.error, "another error");
    if (error_ != 0) return;
    check_model();
    check_host();
    if (at_.named()) check_guest();
  }

  // Below the root, a bind, or the directory that a walk without names began at.
  [[nodiscard]] bool is_visible(std::string_view host) const {
    if (!world_.nameless.empty() && is_below(host, world_.nameless)) return true;
    return std::any_of(mounts_.begin(), mounts_.end(), [&](const Mount& mount) { return is_below(host, mount.host); });
  }

  void check_model() const {
    require(host() == model_.host, "another host path");
    require(at_.nameless == model_.nameless, "named otherwise");
    if (at_.named()) require(guest() == model_.guest, "another guest path");
    if (!at_.nameless) require(at_.mount == model_.mount, "another mount");
    require(at_.last == model_.last, "another kind of last step");
    require(at_.mount_point == model_.mount_point, "mount point or not");
    require(at_.trailing_slash == model_.trailing_slash, "trailing slash or not");
    require(at_.kernel_link == model_.kernel_link, "kernel link or not");
  }

  void check_host() const {
    require(!at_.host.empty(), "no host path");
    require(is_visible(host()), "outside");
    // Only the kernel knows what lies above a directory without a name, or behind a link that it alone can follow.
    if (at_.named()) require((host() + "/").find("/../") == std::string::npos, "\"..\" was not taken");
  }

  void check_guest() {
    const std::string guest = this->guest();
    const std::string closed = guest + "/";
    require(guest.empty() || (guest.front() == '/' && guest.back() != '/'), "not canonical");
    for (const char* part : {"//", "/./", "/../"}) require(closed.find(part) == std::string::npos, "not canonical");
    // ".." never leaves the root; a kernel link does, and a start outside is outside already.
    if (!model_.jumped && (is_below(world_.start, world_.root) || query_->path.front() == '/'))
      require(is_below(guest, world_.root) || (query_->confine & k_in_start) != 0, "left the root");
    if ((query_->confine & (k_beneath | k_in_start)) != 0) require(is_below(guest, world_.start), "left the start");
    if ((query_->confine & k_no_links) != 0) require(!at_.kernel_link, "a link was followed");
    check_round_trip(guest);
    check_fixed_point(guest);
  }

  // The mount table leads from the guest path to the host path and back.
  void check_round_trip(const std::string& guest) {
    const MountTable table = view().mounts;
    std::string bare = host();
    if (bare.size() > 1 && bare.back() == '/') bare.pop_back();
    if (bare == "/") bare.clear();
    require(table.to_host(guest, other_host_, mount_) && other_host_.view() == bare, "to_host says another path");
    require(table.to_guest(bare, other_guest_), "to_guest says that the guest cannot see it");
    // Binds can give a file several names; each leads to the file.
    require(table.to_host(other_guest_.view(), other_host_, mount_) && other_host_.view() == bare,
            "to_guest says the name of another file");
  }

  // No link is left in what was resolved: resolving it again, whatever the root, changes nothing.
  void check_fixed_point(const std::string& guest) {
    const NodeKind kind = world_.host.kind(other_host_.view());
    if (query_->final == Final::follow) require(kind != NodeKind::text_link, "a link was not followed");
    if (guest.size() >= k_path_max) return;
    const Resolution before = at_;
    const int error =
        resolver_.resolve({view().mounts, {}}, {{}, {}}, guest.empty() ? "/" : guest, Final::keep, 0, at_);
    require(error == 0 && before.guest.view() == at_.guest.view(), "not settled");
    at_ = before;
  }

  fuzz::World world_;
  std::vector<Mount> mounts_;
  Resolver<fuzz::WorldHost> resolver_;
  Resolution at_;
  HostPath other_host_;
  GuestPath other_guest_;
  std::size_t mount_ = 0;
  const Query* query_ = nullptr;
  fuzz::Answer model_;
  int error_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // No path holds a NUL.
  if (text.find('\0') == std::string_view::npos) Check(text).run();
  return 0;
}
