#include "engine/ptrace/fast_view.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/file.hpp"

namespace udk::engine {
namespace {

constexpr std::uint64_t k_lifetime = 50'000'000;   // nanoseconds, as PlainNames
constexpr std::uint64_t k_fewest_ticks = 500'000;  // in a millisecond, of any processor

std::uint64_t nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

std::string_view last_component(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// False: there are too many.
bool add_leaves(guest::View& out, const xlate::MountTable& table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::string_view leaf = last_component(table[i].guest);
    if (table[i].guest.empty()) continue;
    if (out.leaf_count == std::size(out.leaves)) return false;
    out.leaves[out.leaf_count++] = guest::hash_text(leaf.data(), leaf.size());
  }
  return true;
}

}  // namespace

Result<FastView> FastView::create(const GuestView& view, const Ids& ids) {
  FastView made;
  made.file_.reset(static_cast<int>(::memfd_create("udocker-view", MFD_CLOEXEC | MFD_ALLOW_SEALING)));
  if (!made.file_ || ::ftruncate(made.file_.get(), sizeof(guest::View)) != 0) return fail_errno(errno, "memfd");
  void* const at = ::mmap(nullptr, sizeof(guest::View), PROT_READ | PROT_WRITE, MAP_SHARED, made.file_.get(), 0);
  if (at == MAP_FAILED) return fail_errno(errno, "mmap");
  made.view_ = static_cast<guest::View*>(at);
  // Nobody else can write to it or make it shorter, whatever the guests do with the path. Linux < 5.1 lacks the first.
  constexpr int k_seal_future_write = 0x10;
  if (::fcntl(made.file_.get(), F_ADD_SEALS, k_seal_future_write | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return fail_errno(errno, "sealing");
  made.path_ = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(made.file_.get());
  struct stat proc {};
  if (::stat("/proc", &proc) == 0) made.view_->special_dev = proc.st_dev;
  made.view_->emulate = ids.emulated ? 1 : 0;
  made.view_->host_uid = ids.host_uid;
  made.view_->host_gid = ids.host_gid;
  made.view_->uid = ids.uid;
  made.view_->gid = ids.gid;
  made.view_->read_only = view.any_read_only() ? 1 : 0;
  if (!add_leaves(*made.view_, view.table())) return fail(Code::unsupported, "too many volumes");
  made.first_ticks_ = __rdtsc();
  made.first_time_ = nanoseconds();
  return made;
}

FastView::FastView(FastView&& other) noexcept
    : file_(std::move(other.file_)),
      path_(std::move(other.path_)),
      view_(std::exchange(other.view_, nullptr)),
      first_ticks_(other.first_ticks_),
      first_time_(other.first_time_) {}

FastView::~FastView() {
  if (view_ != nullptr) ::munmap(view_, sizeof *view_);
}

// The counter's speed is what it was since the begin; at first, when that is not known well, that of a slow one.
std::uint64_t FastView::deadline() const {
  const std::uint64_t ticks = __rdtsc();
  const std::uint64_t milliseconds = (nanoseconds() - first_time_) / 1'000'000;
  const std::uint64_t rate = milliseconds < 5 ? k_fewest_ticks : (ticks - first_ticks_) / milliseconds;
  return ticks + rate * (k_lifetime / 1'000'000);
}

bool FastView::knows(std::string_view given) const {
  const guest::Directory& entry =
      view_->directories[guest::hash_text(given.data(), given.size()) % guest::k_directories];
  return std::string_view(entry.given, entry.given_size) == given && entry.generation == view_->generation &&
         (entry.follows == 0 || entry.links == view_->links) && entry.host_size != 0 && __rdtsc() < entry.deadline;
}

void FastView::publish(std::string_view given, std::string_view host, bool links) {
  guest::Directory& entry = view_->directories[guest::hash_text(given.data(), given.size()) % guest::k_directories];
  if (given.size() > sizeof entry.given || host.size() > sizeof entry.host || host.empty()) return;
  std::atomic_ref<std::uint32_t> version(entry.version);
  version.fetch_add(1);
  entry.given_size = static_cast<std::uint16_t>(given.size());
  entry.host_size = static_cast<std::uint16_t>(host.size());
  entry.deadline = deadline();
  entry.generation = view_->generation;
  entry.follows = links ? 1 : 0;
  entry.links = view_->links;
  std::memcpy(entry.given, given.data(), given.size());
  std::memcpy(entry.host, host.data(), host.size());
  version.fetch_add(1);
}

void FastView::name_changed(bool moved) {
  std::atomic_ref<std::uint64_t>(moved ? view_->generation : view_->links).fetch_add(1);
}

void FastView::believe(dev_t device, ino_t inode) {
  const std::uint64_t hash = guest::file_hash(device, inode);
  for (const std::uint64_t bit : {hash % guest::k_filter_bits, (hash >> 32) % guest::k_filter_bits})
    view_->believed[bit / 64] |= std::uint64_t{1} << bit % 64;
}

}  // namespace udk::engine
