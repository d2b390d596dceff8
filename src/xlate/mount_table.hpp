#pragma once

#include <cstddef>
#include <string_view>

#include "xlate/fixed_path.hpp"

// What a guest sees where: its root and the host files that appear in it.
namespace udk::xlate {

enum class MountKind : unsigned char {
  root,  // the guest's "/"
  bind,  // a host file or directory at a guest path
  glue,  // an empty host directory that stands for a parent of a bind which the image lacks
};

// Both paths are canonical and without a trailing slash; "" is "/". `host` is NUL-terminated.
struct Mount {
  std::string_view guest;
  std::string_view host;
  MountKind kind = MountKind::bind;
  bool read_only = false;
  bool listed = true;  // a bind that its parent directory shall show if it lacks it
};

// A view on an array of mounts that the caller owns. Entry 0 is the root; no two entries have the same guest path; the
// guest paths hold no symbolic link (whoever builds the table resolved them).
class MountTable {
 public:
  constexpr MountTable() = default;
  constexpr MountTable(const Mount* mounts, std::size_t count) : mounts_(mounts), count_(count) {}

  [[nodiscard]] constexpr std::size_t size() const { return count_; }
  [[nodiscard]] constexpr const Mount& operator[](std::size_t i) const { return mounts_[i]; }

  // The mount whose guest path is exactly this one, or -1.
  [[nodiscard]] constexpr int at(std::string_view guest) const {
    for (std::size_t i = 0; i < count_; ++i)
      if (mounts_[i].guest == guest) return static_cast<int>(i);
    return -1;
  }
  // The mount that a canonical guest path lies in: the longest one. Never fails, the root covers all.
  [[nodiscard]] constexpr std::size_t covering(std::string_view guest) const {
    std::size_t best = 0;
    for (std::size_t i = 1; i < count_; ++i)
      if (mounts_[i].guest.size() > mounts_[best].guest.size() && is_below(guest, mounts_[i].guest)) best = i;
    return best;
  }
  // Whether a mount lies somewhere below this directory (not at it).
  [[nodiscard]] constexpr bool has_below(std::string_view guest) const {
    for (std::size_t i = 1; i < count_; ++i)
      if (mounts_[i].guest.size() > guest.size() && is_below(mounts_[i].guest, guest)) return true;
    return false;
  }

  // The host path of a canonical guest path ("" is "/" on both sides) and the mount it lies in. False: too long.
  constexpr bool to_host(std::string_view guest, HostPath& host, std::size_t& mount) const {
    mount = covering(guest);
    const Mount& m = mounts_[mount];
    return host.assign(m.host) && host.append(tail(guest, m.guest.size()));
  }

  // The guest path of a canonical host path. False if the guest cannot see that file. Of several names the one through
  // the mount with the longest host path is taken.
  constexpr bool to_guest(std::string_view host, GuestPath& guest) const {
    if (host == "/") host = {};
    int best = -1;
    for (std::size_t i = 0; i < count_; ++i) {
      if (!is_below(host, mounts_[i].host)) continue;
      if (best >= 0 && mounts_[i].host.size() <= mounts_[static_cast<std::size_t>(best)].host.size()) continue;
      if (name_through(i, host, guest)) best = static_cast<int>(i);
    }
    return best >= 0 && name_through(static_cast<std::size_t>(best), host, guest);
  }

 private:
  // Fills `guest` with the name of `host` through mount i, and says whether no other mount hides that name.
  constexpr bool name_through(std::size_t i, std::string_view host, GuestPath& guest) const {
    return guest.assign(mounts_[i].guest) && guest.append(tail(host, mounts_[i].host.size())) &&
           covering(guest.view()) == i;
  }

  const Mount* mounts_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace udk::xlate
