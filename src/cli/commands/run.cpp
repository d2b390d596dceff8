#include <sys/wait.h>

#include "base/log.hpp"
#include "base/path.hpp"
#include "cli/command.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/run_options.hpp"
#include "cli/execution_mode.hpp"
#include "cli/lookup.hpp"
#include "cli/remedy.hpp"
#include "cli/run_target.hpp"
#include "container/build.hpp"
#include "engine/engine.hpp"

namespace udk::cli {
namespace {

constexpr int k_signal_base = 128;

Result<> refuse_missing(const Arguments& arguments) {
  for (const char* option : {"publish", "publish-all", "netcoop"}) {
    if (arguments.has(option))
      return fail(Code::unsupported, std::string("run --") + option + " is not available in this version");
  }
  if (arguments.has("device")) log::warning("--device is for R modes: this mode shows the whole /dev");
  return {};
}

container::RunOptions run_options(const Arguments& arguments, std::span<const std::string> words) {
  container::RunOptions options;
  options.volumes = arguments.list("volume");
  options.novol = arguments.list("novol");
  options.env = arguments.list("env");
  options.env_files = arguments.list("env-file");
  options.dns = arguments.list("dns");
  options.dns_search = arguments.list("dns-search");
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

Result<container::ContainerInfo> info_of(Session& session, const std::string& id) {
  TRY_ASSIGN(store::Store * store, session.store());
  auto containers = store->containers();
  container::ContainerInfo info{id, containers.root(id), "", mode_of(session, containers, id), {}};
  TRY_ASSIGN(auto entry, containers.entry(id));
  info.names = std::move(entry.aliases);
  auto metadata = containers.config(id);
  if (!metadata) return fail(std::move(metadata).error().context("invalid container json metadata: " + id));
  // No text is no metadata for the container module, which is right for --location alone.
  if (metadata->empty())
    return fail(Code::corrupt, "invalid container json metadata: " + id + ": container.json is empty");
  info.metadata = std::move(*metadata);
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
  TRY(check_available(info.mode));
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
Outcome preparation_failed(const Error& error) {
  log::error("{}", text_with_remedy(error));
  return {k_exit_preparation, false};
}

Outcome run_it(Session& session, const Arguments& arguments, const container::ContainerInfo& info,
               std::span<const std::string> words) {
  auto run = prepare(session, arguments, info, words);
  if (!run) return preparation_failed(run.error());
  announce(arguments, info, *run);
  auto status = engine::run(run->spec);
  if (!status) return preparation_failed(status.error());
  return {exit_code_of(*status), true};
}

// --rm: what this run created; an older container only if it was named and is not protected.
Result<> remove_afterwards(store::Store& store, const RunTarget& target, const std::string& word) {
  TRY_ASSIGN(auto entry, store.containers().entry(target.id));
  if (entry.protection == store::Protection::on) {
    log::warning("--rm: container is protected, it stays: {}", word);
    return {};
  }
  if (!target.created) log::line(log::Level::message, "Info: --rm: deleting container: " + target.id);
  return store.containers().remove(target.id, store::Removal::force);
}

Result<int> run_location(Session& session, const Arguments& arguments, const std::string& location) {
  auto info = info_of_location(session, location);
  if (!info) return preparation_failed(info.error()).exit_code;
  return run_it(session, arguments, *info, arguments.words).exit_code;
}

Outcome run_target(Session& session, store::Store& store, const Arguments& arguments, const RunTarget& target) {
  auto info = info_of(session, target.id);
  if (!info) return preparation_failed(info.error());
  auto in_use = store.containers().use(target.id);
  if (!in_use) return preparation_failed(in_use.error());
  return run_it(session, arguments, *info, std::span(arguments.words).subspan(1));
}

Result<int> run_container(Session& session, const Arguments& arguments) {
  TRY_ASSIGN(auto target, select_target(session, arguments));
  TRY_ASSIGN(store::Store * store, session.store());
  const auto outcome = run_target(session, *store, arguments, target);
  // A container that was made for a payload that never started is of no use to anybody.
  if (arguments.has("rm") || (target.created && !outcome.started)) {
    auto done = remove_afterwards(*store, target, arguments.words[0]);
    if (!done) log::error("--rm: deleting container: {}", done.error().text);
  }
  return outcome.exit_code;
}

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(refuse_missing(arguments));
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
