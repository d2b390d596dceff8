#include "engine/ptrace/listings.hpp"

#include <dirent.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/path.hpp"
#include "engine/ptrace/lookup.hpp"

namespace udk::engine {
namespace {

// More readers at a time than this, each between its directory's end and its own: the oldest may see entries twice.
constexpr std::size_t k_stream_limit = 32;
constexpr std::size_t k_descriptor_limit = 8;

// Whether both descriptors are copies of one (dup(2), fork(2), SCM_RIGHTS).
bool same_file(pid_t a, int fd_a, pid_t b, int fd_b) {
  if (a == b && fd_a == fd_b) return true;
  return ::syscall(SYS_kcmp, a, b, KCMP_FILE, static_cast<unsigned long>(fd_a), static_cast<unsigned long>(fd_b)) == 0;
}

ListedDirectory& directory_of(std::vector<ListedDirectory>& all, const struct stat& st, const std::string& host) {
  for (ListedDirectory& one : all)
    if (one.device == st.st_dev && one.inode == st.st_ino) return one;
  return all.emplace_back(ListedDirectory{st.st_dev, st.st_ino, host, {}});
}

// A bind that wants it, or glue on the way to one.
bool is_listed(const xlate::MountTable& table, const xlate::Mount& mount) {
  if (mount.kind == xlate::MountKind::bind) return mount.listed;
  for (std::size_t i = 1; i < table.size(); ++i) {
    const xlate::Mount& inner = table[i];
    if (inner.kind == xlate::MountKind::bind && inner.listed && xlate::is_below(inner.guest, mount.guest)) return true;
  }
  return false;
}

}  // namespace

Listings::Listings(const xlate::MountTable& table) {
  for (std::size_t i = 1; i < table.size(); ++i) {
    const xlate::Mount& mount = table[i];
    const std::size_t slash = mount.guest.rfind('/');
    xlate::HostPath parent;
    std::size_t around = 0;
    if (slash == std::string_view::npos || !table.to_host(mount.guest.substr(0, slash), parent, around)) continue;
    if (!is_listed(table, mount)) continue;
    if (table[around].kind == xlate::MountKind::glue) continue;  // has a place holder
    const std::string host(parent.empty() ? "/" : parent.view());
    const std::string name(mount.guest.substr(slash + 1));
    struct stat of_parent {};
    struct stat of_mount {};
    struct stat covered {};
    if (::lstat(path_join(host, name).c_str(), &covered) == 0) continue;
    const std::string bound = mount.host.empty() ? "/" : std::string(mount.host);
    if (::stat((host + "/").c_str(), &of_parent) != 0 || ::stat(bound.c_str(), &of_mount) != 0) continue;
    directory_of(directories_, of_parent, host)
        .entries.push_back({name, of_mount.st_ino, static_cast<unsigned char>(IFTODT(of_mount.st_mode))});
  }
}

const ListedDirectory* Listings::find(pid_t tid, int fd) const {
  struct stat st {};
  if (fd < 0 || ::stat(proc_path(tid, fd).c_str(), &st) != 0) return nullptr;
  for (const ListedDirectory& one : directories_)
    if (one.device == st.st_dev && one.inode == st.st_ino) return &one;
  return nullptr;
}

ListingStream* Listings::stream(pid_t pid, int fd) {
  auto is_it = [&](const std::pair<pid_t, int>& known) { return same_file(known.first, known.second, pid, fd); };
  auto has_it = [&](const ListingStream& s) { return std::any_of(s.descriptors.begin(), s.descriptors.end(), is_it); };
  const auto it = std::find_if(streams_.begin(), streams_.end(), has_it);
  if (it == streams_.end()) return nullptr;
  std::rotate(streams_.begin(), it, it + 1);
  auto& known = streams_.front().descriptors;
  known.erase(std::remove(known.begin(), known.end(), std::pair(pid, fd)), known.end());
  known.emplace_front(pid, fd);
  if (known.size() > k_descriptor_limit) known.pop_back();
  return &streams_.front();
}

ListingStream& Listings::new_stream(pid_t pid, int fd) {
  if (streams_.size() == k_stream_limit) streams_.pop_back();
  streams_.push_front({{{pid, fd}}, 0, 0});
  return streams_.front();
}

}  // namespace udk::engine
