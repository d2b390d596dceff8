#include "engine/ptrace/guest_view.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "base/file.hpp"
#include "base/path.hpp"
#include "xlate/resolve.hpp"

namespace udk::engine {
namespace {

// The host as it is, for the walks before any guest runs.
struct PlainHost {
  static int read_link(std::string_view host, std::string_view, xlate::Link& link) {
    const ssize_t n = ::readlink(host.data(), link.target.data(), link.target.capacity());
    if (n < 0) return -errno;
    link.kind = xlate::LinkKind::text;
    link.target.set_size(static_cast<std::size_t>(n));
    return 0;
  }
  static int check_dir(std::string_view host) {
    struct stat st {};
    if (::stat(host.empty() ? "/" : host.data(), &st) != 0) return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
  }
  static bool name_of_dir(std::string_view, xlate::GuestPath&) { return false; }
  static bool known_plain(std::string_view) { return false; }
  static void note_plain(std::string_view) {}
};

// "/" is "" in the table.
std::string canonical(const std::string& path) {
  std::string out = path_normalize(path);
  return out == "/" ? std::string() : out;
}

std::ptrdiff_t depth(const container::Bind& bind) { return std::count(bind.guest.begin(), bind.guest.end(), '/'); }

}  // namespace

Result<GuestView> GuestView::create(const container::RunSpec& spec) {
  GuestView view;
  TRY_ASSIGN(const std::string root, real_path(spec.root));
  view.put("", canonical(root), xlate::MountKind::root, false);
  // Outer mounts first, so that the parents of an inner one are looked up in them, in whatever order they were named.
  std::vector<container::Bind> binds = spec.binds;
  std::stable_sort(binds.begin(), binds.end(), [](const auto& a, const auto& b) { return depth(a) < depth(b); });
  for (const container::Bind& bind : binds) TRY(view.add_bind(bind));
  return view;
}

GuestView::~GuestView() {
  if (!glue_.empty()) (void)remove_tree_at(AT_FDCWD, glue_);
}

bool GuestView::any_read_only() const {
  return std::any_of(mounts_.begin(), mounts_.end(), [](const xlate::Mount& m) { return m.read_only; });
}

void GuestView::put(const std::string& guest, const std::string& host, xlate::MountKind kind, bool read_only,
                    bool listed) {
  const std::string& g = texts_.emplace_back(guest);
  const std::string& h = texts_.emplace_back(host);
  const xlate::Mount mount{g, h, kind, read_only, listed};
  const int old = table().at(guest);
  if (old >= 0)
    mounts_[static_cast<std::size_t>(old)] = mount;
  else
    mounts_.push_back(mount);
}

Result<> GuestView::add_bind(const container::Bind& bind) {
  auto host = real_path(bind.host);
  if (!host) return fail(std::move(host).error().context("volume " + bind.host + ":" + bind.guest));
  TRY_ASSIGN(const std::string guest, settle(bind.guest));
  const bool read_only = bind.access == container::Access::read_only;
  const std::string parent_host = [&] {
    xlate::HostPath path;
    std::size_t mount = 0;
    const std::string parent(path_dirname(guest.empty() ? "/" : guest));
    if (!table().to_host(canonical(parent), path, mount) || mounts_[mount].kind != xlate::MountKind::glue)
      return std::string();
    return std::string(path.view());
  }();
  // In a glue directory a place holder makes the name appear in listings.
  if (!parent_host.empty()) {
    const std::string holder = path_join(parent_host, path_basename(guest));
    if (is_dir(*host))
      TRY(make_dirs(holder));
    else
      TRY(open_at(AT_FDCWD, holder, O_CREAT | O_WRONLY, 0600));
  }
  put(guest, canonical(*host), xlate::MountKind::bind, read_only, bind.listed);
  return {};
}

// The canonical guest path of a mount point; parents that do not exist become glue.
Result<std::string> GuestView::settle(const std::string& guest) {
  PlainHost host;
  auto resolver = std::make_unique<xlate::Resolver<PlainHost>>(host);
  auto at = std::make_unique<xlate::Resolution>();
  for (unsigned tries = 0; tries < 4096; ++tries) {
    const xlate::View view{table(), {}};
    const int e = resolver->resolve(view, xlate::Start{}, guest, xlate::Final::follow, 0, *at);
    struct stat st {};
    if (e == 0 && ::lstat(at->host.c_str(), &st) != 0 && errno == ENOTDIR)
      return fail_errno(ENOTDIR, "mount point " + guest);
    if (e == 0) return std::string(at->guest.view());
    if (e != -ENOENT) return fail_errno(-e, "mount point " + guest);
    TRY(add_glue(std::string(at->guest.view()), std::string(at->host.view()), at->mount));
  }
  return fail(Code::usage, "mount point " + guest + ": too deep");
}

Result<> GuestView::add_glue(const std::string& guest, const std::string& host, std::size_t mount) {
  if (mounts_[mount].kind == xlate::MountKind::glue) return make_dirs(host, 0755);
  TRY_ASSIGN(const std::string dir, glue_directory());
  const std::string here = dir + "/" + std::to_string(glue_count_++);
  TRY(make_dirs(here, 0755));
  put(guest, here, xlate::MountKind::glue, false);
  return {};
}

Result<std::string> GuestView::glue_directory() {
  if (!glue_.empty()) return glue_;
  for (const char* dir : std::array<const char*, 4>{std::getenv("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm"}) {
    if (dir == nullptr || *dir == '\0') continue;
    std::string name = std::string(dir) + "/udocker-glue-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) continue;
    TRY_ASSIGN(glue_, real_path(name));
    return glue_;
  }
  return fail(Code::denied, "no directory for temporary files can be written (set TMPDIR)");
}

}  // namespace udk::engine
