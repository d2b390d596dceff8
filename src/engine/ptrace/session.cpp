#include "engine/ptrace/session.hpp"

#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/log.hpp"
#include "base/open_file_limit.hpp"
#include "engine/ptrace/filter.hpp"
#include "engine/ptrace/local_files.hpp"
#include "engine/ptrace/signal_relay.hpp"
#include "engine/ptrace/tracer.hpp"
#include "guest/runtime_image.hpp"

namespace udk::engine {
namespace {

bool emulates_ids(const container::RunSpec& spec) {
  const container::Identity& id = spec.identity;
  // As root the kernel's ids stay root's too, so that one set of rules holds for every user of udocker.
  return id.uid != ::geteuid() || id.gid != ::getegid() || id.uid == 0 || !id.groups.empty();
}

FilterOptions filter_options(const Run& run, Interception how) {
  FilterOptions options;
  options.identity = run.emulate_ids;
  options.read_only = run.view.any_read_only();
  options.listing = !run.listings.empty();
  options.release = !run.spec.kernel_release.empty();
  options.notify = how == Interception::notify;
  // Waiting for a server is for the guest, whose processes can do so side by side.
  options.notify_open = options.notify && run.local_mounts.front();
  for (std::size_t place = 0; place < k_loader_places; ++place)
    options.stubs.push_back(loader_base(xlate::Abi::x86_64, place));
  for (std::size_t place = 0; run.fast && place < k_loader_places; ++place) {
    const std::uint64_t runtime = loader_base(xlate::Abi::x86_64, place) + guest::k_runtime_at;
    options.gates.push_back({xlate::Abi::x86_64, runtime + guest::runtime_header().gate_end});
    options.gates.push_back({xlate::Abi::x86_64, runtime + guest::runtime_header().open_end});
  }
  for (const xlate::Abi abi : xlate::k_abis)
    for (std::size_t place = 0; place < k_loader_places; ++place)
      options.loader_calls.push_back({abi, LoaderImage::syscall_end(abi, loader_base(abi, place))});
  return options;
}

// The first process before its exec: a copy of this one.
void add_first_task(Run& run, pid_t pid, const xlate::Resolution& cwd) {
  Task& task = run.tasks.add(pid);
  task.memory = std::make_shared<AddressSpace>();
  task.memory->scratch = LaunchScratch::address();
  task.memory->slots = k_slot_count;
  task.fs = std::make_shared<FileSystemState>();
  task.fs->host_cwd = cwd.host.view();
  task.fs->guest_cwd = cwd.guest.view();
  task.credentials = std::make_shared<Credentials>(initial_credentials(run.spec.identity));
  task.known = task.attached = true;
}

// The guest's working directory on the host.
Result<> find_cwd(Run& run, xlate::Resolution& cwd) {
  Task nobody;
  nobody.tid = nobody.tgid = ::getpid();
  nobody.fs = std::make_shared<FileSystemState>();
  const int e = run.lookup.path(nobody, -1, run.spec.cwd.empty() ? "/" : run.spec.cwd, xlate::Final::follow, 0, cwd);
  if (e != 0) return fail_errno(-e, "working directory " + run.spec.cwd);
  return {};
}

// Without it everything is served by the tracer.
void begin_view(Run& run) {
  const container::Identity& id = run.spec.identity;
  auto made = FastView::create(run.view, {run.emulate_ids, run.host_uid, run.host_gid, id.uid, id.gid});
  if (!made) return log::debug("calls about files are not served in the guest: {}", made.error().text);
  run.fast.emplace(std::move(*made));
}

}  // namespace

Result<int> run_traced(const container::RunSpec& spec, Interception best, container::OwnerBook* owners) {
  Interception how = Interception::every;
  if (best != Interception::every) {
    TRY_ASSIGN(how, probe_interception(best));
  }
  TRY_ASSIGN(const GuestView view, GuestView::create(spec));
  TaskTable tasks;
  const auto lookup = std::make_unique<Lookup>(view, tasks);
  const auto run = std::make_unique<Run>(spec, view, tasks, *lookup);
  run->emulate_ids = emulates_ids(spec);
  run->filtered = how != Interception::every;
  run->host_uid = ::geteuid();
  run->host_gid = ::getegid();
  if (run->emulate_ids && owners != nullptr) TRY(run->owners.load(*owners));
  TRY(run->loaders.prepare());
  run->listings = Listings(view.table());
  for (std::size_t i = 0; i < view.table().size(); ++i)
    run->local_mounts.push_back(is_local(i == 0 && view.table()[0].host.empty() ? "/" : view.table()[i].host.data()));
  if (how != Interception::every && spec.fast_after != 0) begin_view(*run);
  run->filter = filter_options(*run, how);
  TRY(find_cwd(*run, run->at));
  TRY_ASSIGN(const Launched launched, launch(spec, run->at.host.c_str(), how, make_filter(run->filter)));
  // The tracer holds a program's files until they are mapped, so many starts at once need many descriptors. Guests have
  // their own limit by now.
  raise_open_file_limit();
  add_first_task(*run, launched.pid, run->at);
  const SignalRelay relay(launched.pid);
  return Tracer(*run, how).serve(launched);
}

}  // namespace udk::engine
