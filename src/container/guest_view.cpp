#include "container/guest_view.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/file.hpp"
#include "base/path.hpp"

namespace udk::container {
namespace {

constexpr int k_max_links = 40;  // as the kernel: path_resolution(7)

Unexpected not_a_directory(std::string_view path) { return fail_errno(ENOTDIR, path); }

// A walk over the components of a guest path.
struct Walk {
  std::string guest;                 // canonical so far, "" for the root
  std::vector<std::string> pending;  // components to come, the next one last
  int links = 0;
  bool missing = false;

  void push(std::string_view path) {
    auto words = path_split(path);
    for (auto word = words.rbegin(); word != words.rend(); ++word) pending.emplace_back(*word);
  }
  void up() { guest.erase(std::min(guest.rfind('/'), guest.size())); }
};

bool has_directory_suffix(std::string_view path) {
  return path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
}

}  // namespace

void GuestView::add(Bind bind) {
  std::erase_if(binds_, [&](const Bind& other) { return other.guest == bind.guest; });
  binds_.push_back(std::move(bind));
}

const Bind* GuestView::bind_of(std::string_view guest) const {
  const Bind* best = nullptr;
  for (const auto& bind : binds_) {
    if (path_has_prefix(guest, bind.guest) && (!best || bind.guest.size() > best->guest.size())) best = &bind;
  }
  return best;
}

std::string GuestView::host_path(const std::string& guest) const {
  const auto* bind = bind_of(guest);
  if (!bind) return guest.empty() ? root_ : path_join(root_, guest);
  return path_join(bind->host, std::string_view(guest).substr(bind->guest.size()));
}

bool GuestView::holds_mount_point(std::string_view guest) const {
  return std::any_of(binds_.begin(), binds_.end(),
                     [&](const Bind& bind) { return path_has_prefix(bind.guest, guest); });
}

Result<std::optional<struct stat>> GuestView::status(const std::string& guest) const {
  TRY_ASSIGN(auto found, lstat_at(AT_FDCWD, host_path(guest)));
  if (!found && holds_mount_point(guest)) {
    // A directory that exists only because something is mounted below it.
    found.emplace();
    found->st_mode = S_IFDIR | 0755;
  }
  return found;
}

Result<GuestLocation> GuestView::locate(std::string_view path) const {
  Walk walk;
  walk.push(path);
  TRY_ASSIGN(auto here, status(""));
  while (!walk.pending.empty()) {
    auto word = std::move(walk.pending.back());
    walk.pending.pop_back();
    if (word == "..") {
      walk.up();
      if (!walk.missing) {
        TRY_ASSIGN(here, status(walk.guest));
      }
      continue;
    }
    auto next = walk.guest + "/" + word;
    if (!walk.missing) {
      TRY_ASSIGN(here, status(next));
    }
    if (walk.missing || !here) {
      walk.missing = true;
      walk.guest = std::move(next);
    } else if (S_ISLNK(here->st_mode)) {
      if (++walk.links > k_max_links) return fail_errno(ELOOP, path);
      TRY_ASSIGN(auto target, readlink_at(AT_FDCWD, host_path(next)));
      if (target.starts_with('/')) walk.guest.clear();
      walk.push(target);
      if (walk.pending.empty()) {
        TRY_ASSIGN(here, status(walk.guest));
      }
    } else {
      if (!walk.pending.empty() && !S_ISDIR(here->st_mode)) return not_a_directory(path);
      walk.guest = std::move(next);
    }
  }
  if (walk.missing) here.reset();
  if (here && !S_ISDIR(here->st_mode) && has_directory_suffix(path)) return not_a_directory(path);
  auto host = host_path(walk.guest);
  return GuestLocation{walk.guest.empty() ? "/" : std::move(walk.guest), std::move(host), here};
}

Result<std::string> GuestView::read(std::string_view path, std::size_t limit) const {
  auto place = locate(path);
  if (!place) return place.error().code == Code::not_found ? Result<std::string>() : fail(std::move(place).error());
  if (!place->status || !S_ISREG(place->status->st_mode)) return std::string();
  // O_NONBLOCK: should the file have become a FIFO since, opening it must not wait.
  TRY_ASSIGN(auto fd, open_at(AT_FDCWD, place->host, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  return read_all(fd.get(), limit);
}

Result<> GuestView::make_dirs(std::string_view path) const {
  TRY_ASSIGN(auto place, locate(path));
  if (place.status) return S_ISDIR(place.status->st_mode) ? Result<>() : not_a_directory(path);
  if (const auto* bind = bind_of(place.guest)) {
    return fail(Code::denied, std::string(path) + ": does not exist in the volume " + bind->host + "; create it there");
  }
  // A part of a path that nobody could use would stay behind.
  const auto words = path_split(place.guest);
  bool too_long = place.host.size() >= PATH_MAX ||
                  std::any_of(words.begin(), words.end(), [](auto word) { return word.size() > NAME_MAX; });
  if (too_long) return fail_errno(ENAMETOOLONG, path);
  // One descriptor per level and no link followed: nothing outside of ROOT can be reached, whatever happens meanwhile.
  TRY_ASSIGN(auto dir, open_dir(root_));
  for (auto word : words) {
    std::string name(word);
    if (::mkdirat(dir.get(), name.c_str(), 0755) != 0 && errno != EEXIST) return fail_errno(errno, path);
    TRY_ASSIGN(dir, open_dir_at(dir.get(), name, O_NOFOLLOW));
  }
  return {};
}

}  // namespace udk::container
