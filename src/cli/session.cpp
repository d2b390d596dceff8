#include "cli/session.hpp"

#include "base/log.hpp"

namespace udk::cli {
namespace {

constexpr int k_quiet = 1;
constexpr int k_debug = 5;

int verbosity_of(const Arguments& general, const Config& config) {
  if (general.has("debug")) return k_debug;
  if (general.has("quiet")) return k_quiet;
  return config.verbose_level;
}

store::Paths paths_of(const Config& config) {
  auto paths = store::Paths::under(config.topdir);
  paths.bin = config.bindir;
  paths.lib = config.libdir;
  paths.doc = config.docdir;
  paths.repos = config.reposdir;
  paths.layers = config.layersdir;
  paths.containers = config.containersdir;
  return paths;
}

}  // namespace

Result<Session> Session::start(const Arguments& general) {
  TRY_ASSIGN(Config config, load_config(config_sources_of_process(general.value_or("config", ""))));
  log::set_verbosity(verbosity_of(general, config));
  for (const auto& line : config.warnings) log::warning("{}", line);
  Session session(std::move(config));
  if (general.has("insecure") || session.config_.http_insecure) session.verify_ = Verify::nothing;
  if (auto repo = general.value("repo")) {
    if (!repo->empty()) session.config_.use_topdir(store::Paths::under(*repo).top);
    if (repo->empty() || !store::is_repository(session.paths())) {
      return fail(Code::not_found, "invalid udocker repository: " + *repo +
                                       " (it has no repos, layers and containers; UDOCKER_DIR makes a new one)");
    }
  }
  return session;
}

store::Paths Session::paths() const { return paths_of(config_); }

Result<store::Store*> Session::store() {
  if (store_) return store_.get();
  auto where = paths();
  if (!store::is_repository(where)) {
    log::info("creating repo: {}", where.top);
    if (auto made = store::create_repository(where); !made) {
      auto error = std::move(made).error();
      error.text += " (set UDOCKER_DIR to a directory that can be written)";
      return fail(std::move(error));
    }
  }
  store::Waiting waiting;
  waiting.notify = [](const std::string& line) { log::info("{}", line); };
  TRY_ASSIGN(store::Store opened, store::Store::open(std::move(where), std::move(waiting)));
  store_ = std::make_unique<store::Store>(std::move(opened));
  return store_.get();
}

}  // namespace udk::cli
