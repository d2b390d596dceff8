#pragma once

#include <asm/errno.h>

#include <cstddef>
#include <string_view>
#include <utility>

#include "xlate/fixed_path.hpp"
#include "xlate/mount_table.hpp"

// Which host path does a guest path mean? The walk of path_resolution(7) inside the guest's view: its root, the mounts,
// symbolic links read from the host but understood as the guest's, ".." that never leaves the root.
//
// The host is reached through a policy class `Sys` (host calls in the tracer, a table in tests):
//   int read_link(std::string_view host, std::string_view guest, Link& link)
//     0 and `link` filled, or -errno; `host` is NUL-terminated. -EINVAL: exists, is no link.
//   int check_dir(std::string_view host)    0 if it is a directory, else -errno
//   bool name_of_dir(std::string_view host, GuestPath& guest)
//     the canonical guest path of a directory that `host` leads to by a kernel link; false: it has none
//   bool known_plain(std::string_view host) / void note_plain(std::string_view host)
//     a memory of host paths that are no links; "never" and "ignore" are right answers.
namespace udk::xlate {

enum class LinkKind : unsigned char {
  text,  // an ordinary link: `target` is relative to its directory or to the guest's root (after chroot)
  jump,  // a kernel link (/proc/PID/cwd): `target` is a guest path, whatever the root
  open  // a kernel link to an open file (/proc/PID/fd/N), which may be a pipe or deleted: at the end of a path only the
        // kernel can follow it; `target` is the file's guest path or empty if it has none
};

struct Link {
  LinkKind kind = LinkKind::text;
  bool gone = false;  // of an open file: nothing is at `target` any more, the text is only what readlink(2) tells
  int mount = -1;     // of an open file whose name is too long to be told: where it lies
  FixedText<k_path_max> target;
};

enum class Final : unsigned char {
  follow,  // a link at the end is followed
  keep,    // it is not (lstat, O_NOFOLLOW), unless the path ends in a slash
  parent   // never: the call creates, removes or renames the name itself
};

// How the walk is confined, beside the guest's root: openat2(2)'s RESOLVE_* flags.
enum Confine : unsigned {
  k_no_links = 1U,         // RESOLVE_NO_SYMLINKS
  k_no_kernel_links = 2U,  // RESOLVE_NO_MAGICLINKS
  k_beneath = 4U,          // RESOLVE_BENEATH
  k_in_start = 8U,         // RESOLVE_IN_ROOT
  k_one_mount = 16U,       // RESOLVE_NO_XDEV
  k_creates = 32U          // O_CREAT: what stands before a slash at the end of the path is not looked at
};

// What the last step was: calls on names treat "x/.." differently from "x".
enum class Last : unsigned char { name, root, dot, dotdot };

struct View {
  MountTable mounts;
  std::string_view root;  // canonical guest path that "/" means (chroot); "" normally
};

struct Resolution {
  GuestPath guest;             // canonical, "" is "/"; without meaning if `nameless`
  HostPath host;               // what to hand to the kernel; never empty
  std::size_t mount = 0;       // where it lies
  std::size_t name_mount = 0;  // where the last name of the path was looked up; differs for mount points and ".."
  Last last = Last::root;
  bool mount_point = false;     // the result is exactly a mount
  bool trailing_slash = false;  // the caller wrote "name/": `host` ends in a slash too
  bool kernel_link = false;     // `host` is a kernel link that the kernel shall follow
  bool nameless = false;        // lies below a directory that has no guest path: `guest` is empty, `mount` unknown

  // Whether `guest` says where it is.
  [[nodiscard]] constexpr bool named() const { return !nameless; }
};

// Where a relative path begins: the canonical guest path of a directory, or, if it has none (deleted, or too long to be
// told), a host path that leads to it.
struct Start {
  std::string_view guest;
  std::string_view nameless;  // empty: `guest` counts
  std::size_t mount = 0;      // of `nameless`
};

constexpr unsigned k_link_limit = 40;  // as Linux' MAXSYMLINKS

// One walk at a time; the object holds the buffers, so that a caller keeps it and allocates nothing.
template <class Sys>
class Resolver {
 public:
  constexpr explicit Resolver(Sys& sys) : sys_(sys) {}

  // Fills `out`. 0 or -errno, as the kernel would answer a call with that path; a missing last component is no error.
  constexpr int resolve(const View& view, Start start, std::string_view path, Final final, unsigned confine,
                        Resolution& out) {
    if (path.empty()) return -ENOENT;
    if (path.size() >= k_path_max) return -ENAMETOOLONG;
    view_ = &view;
    out_ = &out;
    final_ = final;
    confine_ = confine;
    links_ = 0;
    start_ = start;
    root_known_ = path.front() == '/' || (confine & (k_in_start | k_beneath)) != 0;
    floor_ = (confine & (k_in_start | k_beneath)) != 0 ? start.guest : view.root;
    out.kernel_link = out.mount_point = out.trailing_slash = false;
    const bool absolute = path.front() == '/';
    if (absolute && (confine & k_beneath) != 0) return -EXDEV;
    if (const int e = absolute ? to_root() : to_start(); e != 0) return e;
    out.name_mount = out.mount;
    (void)rest_.assign(path);
    at_ = 0;
    return walk();
  }

 private:
  static constexpr int k_done = 1;  // beside 0 = go on and -errno

  struct Step {
    std::string_view name;
    bool last;   // nothing but slashes follows
    bool slash;  // slashes follow
  };

  // Takes the next component off `rest_`; an empty name at the end.
  constexpr Step next() {
    const std::string_view all = rest_.view();
    while (at_ < all.size() && all[at_] == '/') ++at_;
    const std::size_t from = at_;
    while (at_ < all.size() && all[at_] != '/') ++at_;
    const std::size_t end = at_;
    while (at_ < all.size() && all[at_] == '/') ++at_;
    return {head(tail(all, from), end - from), at_ == all.size(), at_ > end};
  }

  constexpr int walk() {
    for (;;) {
      const Step step = next();
      if (step.name.empty()) return finish();
      int status = 0;
      out_->name_mount = out_->mount;
      if (step.name == ".") {
        status = out_->last == Last::name ? sys_.check_dir(out_->host.view()) : 0;
        out_->last = Last::dot;
      } else if (step.name == "..") {
        status = up();
        out_->last = Last::dotdot;
      } else {
        status = down(step);
      }
      if (status == k_done) return finish();
      if (status < 0) return status;
    }
  }

  constexpr int up() {
    root_known_ = true;
    if (out_->last == Last::name)
      if (const int e = sys_.check_dir(out_->host.view()); e != 0) return e;
    if (out_->nameless) return up_nameless();
    if (out_->guest.view() == floor_) return (confine_ & k_beneath) != 0 ? -EXDEV : 0;
    if (out_->guest.empty()) return 0;
    const bool leaves_mount = out_->guest.size() == view_->mounts[out_->mount].guest.size();
    out_->guest.pop();
    if (!leaves_mount) {
      out_->host.pop();
      return 0;
    }
    if ((confine_ & k_one_mount) != 0) return -EXDEV;
    return view_->mounts.to_host(out_->guest.view(), out_->host, out_->mount) ? 0 : -ENAMETOOLONG;
  }

  constexpr int up_nameless() {
    if (depth_ > 0) {
      --depth_;
      out_->host.pop();
      return 0;
    }
    if ((confine_ & k_beneath) != 0) return -EXDEV;
    if ((confine_ & k_in_start) != 0) return 0;
    if (!out_->host.push("..")) return -ENAMETOOLONG;
    // Only the kernel knows what is above; it seldom lacks a name itself.
    return sys_.name_of_dir(out_->host.view(), out_->guest) ? jump_to_guest() : 0;
  }

  // Whether what is at a last component does not matter.
  [[nodiscard]] constexpr bool is_unseen(const Step& step) const { return step.slash && (confine_ & k_creates) != 0; }
  // Whether it is taken as it is.
  [[nodiscard]] constexpr bool stays(const Step& step) const {
    if (is_unseen(step)) return true;
    return final_ == Final::parent || (final_ == Final::keep && !step.slash);
  }

  constexpr int down(const Step& step) {
    out_->last = Last::name;
    if (out_->nameless) {
      ++depth_;
    } else if (!out_->guest.push(step.name)) {
      return -ENAMETOOLONG;
    } else if (const int m = view_->mounts.at(out_->guest.view()); m >= 0) {
      if ((confine_ & k_one_mount) != 0 && !(step.last && is_unseen(step))) return -EXDEV;
      out_->mount = static_cast<std::size_t>(m);
      return out_->host.assign(view_->mounts[out_->mount].host) ? 0 : -ENAMETOOLONG;
    }
    if (!out_->host.push(step.name)) return -ENAMETOOLONG;
    if (step.last && stays(step)) return k_done;
    if (!out_->nameless && sys_.known_plain(out_->host.view())) return 0;
    link_.gone = false;
    link_.mount = -1;
    const int e = sys_.read_link(out_->host.view(), out_->guest.view(), link_);
    if (e == 0) return follow(step);
    if (e == -EINVAL) {
      if (!out_->nameless) sys_.note_plain(out_->host.view());
      return 0;
    }
    return step.last ? k_done : e;  // at the end the call itself says what is wrong, or creates the name
  }

  constexpr int follow(const Step& step) {
    if (++links_ > k_link_limit || (confine_ & k_no_links) != 0) return -ELOOP;
    if (link_.kind != LinkKind::text) return follow_kernel_link(step);
    const std::string_view target = link_.target.view();
    if (target.empty()) return -ENOENT;
    const bool absolute = target.front() == '/';
    if (absolute && (confine_ & k_beneath) != 0) return -EXDEV;
    if (!prepend(target, step.slash)) return -ENAMETOOLONG;
    if (absolute) {
      const std::size_t before = out_->mount;
      if (const int e = to_root(); e != 0) return e;
      const bool same = std::exchange(root_known_, true) && out_->mount == before;
      return (confine_ & k_one_mount) != 0 && !same ? -EXDEV : 0;
    }
    if (out_->nameless)
      --depth_;
    else
      out_->guest.pop();
    out_->host.pop();
    out_->last = Last::dot;
    return 0;
  }

  constexpr int follow_kernel_link(const Step& step) {
    if ((confine_ & k_no_kernel_links) != 0) return -ELOOP;
    if ((confine_ & (k_beneath | k_in_start | k_one_mount)) != 0) return -EXDEV;
    const std::string_view target = link_.target.view() == "/" ? std::string_view() : link_.target.view();
    if (link_.kind == LinkKind::jump || (!step.last && !link_.gone && !link_.target.empty())) {
      const int e = jump(target);
      out_->last = Last::name;
      return e;
    }
    if (!link_.target.empty()) out_->mount = view_->mounts.covering(target);
    if (link_.mount >= 0) out_->mount = static_cast<std::size_t>(link_.mount);
    if (step.last) {
      out_->kernel_link = true;
      return k_done;
    }
    out_->nameless = true;  // what lies below it has no guest path
    out_->guest.clear();
    depth_ = 0;
    return 0;
  }

  // Puts a link's text in front of what remains.
  constexpr bool prepend(std::string_view text, bool slash) {
    const std::size_t left = rest_.size() - at_;
    const std::size_t front = text.size() + (slash ? 1 : 0);
    if (front + left > rest_.capacity()) return false;
    copy_bytes(rest_.data() + front, rest_.data() + at_, left);
    copy_bytes(rest_.data(), text.data(), text.size());
    if (slash) rest_.data()[text.size()] = '/';
    rest_.set_size(front + left);
    at_ = 0;
    return true;
  }

  constexpr int to_root() { return (confine_ & k_in_start) != 0 ? to_start() : jump(view_->root); }

  constexpr int to_start() {
    if (start_.nameless.empty()) return jump(start_.guest);
    out_->last = Last::root;
    out_->nameless = true;
    out_->mount = start_.mount;
    out_->guest.clear();
    depth_ = 0;
    return out_->host.assign(start_.nameless) ? 0 : -ENAMETOOLONG;
  }

  constexpr int jump(std::string_view guest) {
    if (!out_->guest.assign(guest)) return -ENAMETOOLONG;
    return jump_to_guest();
  }

  constexpr int jump_to_guest() {
    const std::string_view guest = out_->guest.view();
    out_->last = Last::root;
    out_->nameless = false;
    return view_->mounts.to_host(guest, out_->host, out_->mount) ? 0 : -ENAMETOOLONG;
  }

  // Carries what the end of the path asked for ("name/", "dir/.") over to the host path, so that the kernel applies it.
  constexpr int finish() {
    const std::string_view all = rest_.view();
    out_->trailing_slash = out_->last == Last::name && all[all.size() - 1] == '/';
    out_->mount_point = !out_->nameless && view_->mounts.at(out_->guest.view()) >= 0;
    std::string_view end;
    if (out_->host.empty() || out_->trailing_slash) end = "/";
    if (out_->nameless && !out_->kernel_link && depth_ == 0) end = "/.";  // behind the kernel link, not the link
    return out_->host.append(end) ? 0 : -ENAMETOOLONG;
  }

  Sys& sys_;
  const View* view_ = nullptr;
  Resolution* out_ = nullptr;
  Start start_;
  std::string_view floor_;  // what ".." does not leave
  std::size_t depth_ = 0;   // below a nameless start
  Final final_ = Final::follow;
  unsigned confine_ = 0;
  unsigned links_ = 0;
  bool root_known_ = false;  // Linux compares with the root's mount, and has none before the walk needed the root
  std::size_t at_ = 0;       // how much of rest_ is done
  FixedText<(k_link_limit + 1) * k_path_max> rest_;  // each link can add as much as a path may have
  Link link_;
};

}  // namespace udk::xlate
