#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/log.hpp"
#include "base/path.hpp"
#include "cli/command.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/run_options.hpp"
#include "cli/container_owners.hpp"
#include "cli/execution_mode.hpp"
#include "cli/interrupt.hpp"
#include "cli/lookup.hpp"
#include "cli/remedy.hpp"
#include "cli/run_target.hpp"
#include "container/build.hpp"
#include "engine/engine.hpp"

namespace udk::cli {
namespace {

constexpr int k_signal_base = 128;

// What to do about a payload that could not be executed, where the engine names the reason of execve(2) alone.
constexpr std::array<std::pair<int, std::string_view>, 2> k_start_remedies{{
    {E2BIG, "shorten the arguments or the environment"},
    {EACCES, "it or its file system must not be executed; check the permissions and the mount options"},
}};

void warn_of_unneeded(const Arguments& arguments) {
  if (arguments.has("device")) log::warning("--device is for R modes: this mode shows the whole /dev");
}

container::RunOptions run_options(const Arguments& arguments, std::span<const std::string> words) {
  container::RunOptions options;
  options.volumes = arguments.list("volume");
  options.novol = arguments.list("novol");
  options.env = arguments.list("env");
  options.env_files = arguments.list("env-file");
  options.dns = arguments.list("dns");
  options.dns_search = arguments.list("dns-search");
  options.publish = arguments.list("publish");
  options.publish_all = arguments.has("publish-all") || arguments.has("netcoop");
  options.words.assign(words.begin(), words.end());
  options.entrypoint = arguments.value("entrypoint");
  options.user = arguments.value_or("user", "");
  options.workdir = arguments.value_or("workdir", "");
  options.cpuset_cpus = arguments.value_or("cpuset-cpus", "");
  options.kernel = arguments.value_or("kernel", "");
  options.host_auth = arguments.has("hostauth");
  options.container_auth = arguments.has("containerauth");
  options.no_sysdirs = arguments.has("nosysdirs");
  options.host_env = arguments.has("hostenv");
  options.bind_home = arguments.has("bindhome");
  options.dri = arguments.has("dri");
  options.no_meta = arguments.has("nometa");
  options.interactive = arguments.has("interactive");
  options.tty = arguments.has("tty");
  return options;
}

Result<std::vector<container::VolumesFrom>> volumes_from(Session& session, const Arguments& arguments) {
  std::vector<container::VolumesFrom> sources;
  for (const auto& text : arguments.list("volumes-from")) {
    TRY_ASSIGN(auto wanted, container::parse_volumes_from(text));
    TRY_ASSIGN(store::Store * store, session.store());
    TRY_ASSIGN(auto id, container_id(*store, wanted.name, "--volumes-from: container not found"));
    TRY_ASSIGN(auto metadata, store->containers().config(id));
    sources.push_back({wanted.name, store->containers().root(id), std::move(metadata), wanted.access});
  }
  return sources;
}

Result<container::ContainerInfo> info_of(Session& session, const Arguments& arguments, const std::string& id) {
  TRY_ASSIGN(store::Store * store, session.store());
  auto containers = store->containers();
  container::ContainerInfo info{id, containers.root(id), "", mode_of(session, containers, id), {}};
  TRY_ASSIGN(auto entry, containers.entry(id));
  info.names = std::move(entry.aliases);
  auto metadata = containers.config(id);
  // No text is no metadata for the container module, which is right for --location and --nometa alone.
  if (metadata && metadata->empty()) metadata = fail(Code::corrupt, "container.json of " + id + " is empty");
  if (metadata) {
    info.metadata = std::move(*metadata);
  } else if (!arguments.has("nometa")) {
    auto error = std::move(metadata).error().context("invalid container json metadata");
    error.text += " (create the container anew, or run it with --nometa)";
    return fail(std::move(error));
  }
  return info;
}

Result<container::ContainerInfo> info_of_location(const Session& session, const std::string& location) {
  auto root = real_path(location);
  if (!root) return fail(std::move(root).error().context("--location"));
  if (!is_dir(*root)) return fail(Code::usage, "--location: " + location + ": not a directory");
  return container::ContainerInfo{"", std::move(*root), "", session.config().default_execution_mode, {}};
}

Result<container::PreparedRun> prepare(Session& session, const Arguments& arguments,
                                       const container::ContainerInfo& info, std::span<const std::string> words) {
  auto options = run_options(arguments, words);
  TRY_ASSIGN(options.volumes_from, volumes_from(session, arguments));
  TRY_ASSIGN(auto host, container::collect_host_facts());
  return container::build_run_spec(info, options, session.config().run, host);
}

void announce(const Arguments& arguments, const container::ContainerInfo& info, const container::PreparedRun& run) {
  for (const auto& notice : run.notices) {
    if (log::enabled(notice.level)) log::line(notice.level, notice.text);
  }
  if (arguments.has("nobanner") || !log::enabled(log::Level::info)) return;
  std::string text;
  for (const auto& row : container::banner(info.id, info.mode, run.spec.argv.front())) text += row + "\n";
  (void)write_all(STDERR_FILENO, as_bytes(text));
}

int exit_code_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? k_signal_base + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

struct Outcome {
  int exit_code;
  bool started;  // the payload has run
};

// The failures before the payload starts have an exit code of their own.
Outcome preparation_failed(const Error& error, int exit_code = k_exit_preparation) {
  log::error("{}", text_with_remedy(error));
  return {exit_code, false};
}

Error start_failed(Error error, const std::string& program) {
  const bool plain = error.text == sys_error(error.sys_errno, program).text;
  for (const auto& [cause, remedy] : k_start_remedies) {
    if (plain && error.sys_errno == cause) error.text += fmt::format(" ({})", remedy);
  }
  return error;
}

Outcome run_it(Session& session, const Arguments& arguments, const container::ContainerInfo& info,
               std::span<const std::string> words, container::OwnerBook* owners) {
  // As an engine that is missing in the Python tool.
  if (auto available = check_available(info.mode); !available)
    return preparation_failed(available.error(), k_exit_failure);
  // A signal that comes before or after the payload's life shall not leave temporary files behind.
  const InterruptScope cleaning_up;
  auto run = prepare(session, arguments, info, words);
  if (interrupted()) return {k_signal_base + interrupting_signal(), false};
  if (!run) return preparation_failed(run.error());
  if (info.mode == "P1") run->spec.fast_after = static_cast<unsigned>(session.config().fast_after);
  announce(arguments, info, *run);
  auto status = engine::run(run->spec, engine::EngineChoice::ptrace, owners);
  if (!status) return preparation_failed(start_failed(std::move(status).error(), run->spec.program));
  return {exit_code_of(*status), true};
}

// --rm: what this run created; an older container only if it was named and is not protected. The last of several runs
// deletes it.
Result<> remove_afterwards(store::Store& store, const RunTarget& target, const std::string& word) {
  auto entry = store.containers().entry(target.id);
  if (!entry && entry.error().code == Code::not_found) return {};  // somebody else did it
  if (!entry) return fail(std::move(entry).error());
  if (entry->protection == store::Protection::on) {
    log::warning("--rm: container is protected, it stays: {}", word);
    return {};
  }
  if (target.made != Made::container) log::line(log::Level::message, "Info: --rm: deleting container: " + target.id);
  auto done = store.containers().remove(target.id, store::Removal::force_unused);
  if (done || done.error().code == Code::not_found) return {};
  if (done.error().code != Code::busy) return done;
  log::warning("--rm: container is in use by another run, it stays: {}", word);
  return {};
}

Result<int> run_location(Session& session, const Arguments& arguments, const std::string& location) {
  for (const char* option : {"name", "rm"}) {
    if (arguments.has(option)) log::warning("--location runs a directory tree, no container: --{} is ignored", option);
  }
  auto info = info_of_location(session, location);
  if (!info) return preparation_failed(info.error()).exit_code;
  return run_it(session, arguments, *info, arguments.words, nullptr).exit_code;
}

Outcome run_target(Session& session, store::Store& store, const Arguments& arguments, const RunTarget& target) {
  auto info = info_of(session, arguments, target.id);
  if (!info) return preparation_failed(info.error());
  auto in_use = store.containers().use(target.id);
  if (!in_use) return preparation_failed(in_use.error());
  ContainerOwners owners(store, target.id);
  return run_it(session, arguments, *info, std::span(arguments.words).subspan(1), &owners);
}

// The Python tool's status: not finding what may not be pulled counts as a failed preparation.
Result<int> selection_failed(const Arguments& arguments, Error error) {
  if (error.code == Code::not_found && arguments.value_or("pull", "") == "never")
    return preparation_failed(error).exit_code;
  return fail(std::move(error));
}

Result<int> run_container(Session& session, const Arguments& arguments) {
  auto target = select_target(session, arguments);
  if (!target) return selection_failed(arguments, std::move(target).error());
  TRY_ASSIGN(store::Store * store, session.store());
  const auto outcome = run_target(session, *store, arguments, *target);
  const auto useless = outcome.started ? Made::nothing : target->made;
  if (useless == Made::name) (void)store->containers().remove_alias(arguments.value_or("name", ""));
  if ((arguments.has("rm") && outcome.started) || useless == Made::container) {
    auto done = remove_afterwards(*store, *target, arguments.words[0]);
    if (!done) log::error("--rm: deleting container: {}", done.error().text);
  }
  return outcome.exit_code;
}

Result<int> execute(Session& session, const Arguments& arguments) {
  warn_of_unneeded(arguments);
  const auto location = arguments.value_or("location", session.config().location);
  return location.empty() ? run_container(session, arguments) : run_location(session, arguments, location);
}

}  // namespace

const Command k_run{"run",
                    "CONTAINER|IMAGE [COMMAND [ARGUMENT...]]",
                    "run a command in a container",
                    k_run_options,
                    Order::options_first,
                    execute};

}  // namespace udk::cli
