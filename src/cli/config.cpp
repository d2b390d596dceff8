#include "cli/config.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>

#include "base/accounts.hpp"
#include "base/file.hpp"
#include "base/path.hpp"
#include "base/text.hpp"
#include "cli/config_file.hpp"
#include "cli/config_keys.hpp"

namespace udk::cli {
namespace {

constexpr std::size_t k_max_file = std::size_t{4} << 20;
constexpr std::string_view k_file_name = "udocker.conf";

// What an empty variable means: nothing, or the value "" (no executable of that kind is preset).
enum class Empty { ignored, counts };

struct Variable {
  std::string_view name, key;
  Empty empty = Empty::ignored;
};
constexpr std::array k_variables{
    Variable{"UDOCKER_DIR", "topdir"},
    Variable{"UDOCKER_BIN", "bindir"},
    Variable{"UDOCKER_LIB", "libdir"},
    Variable{"UDOCKER_DOC", "docdir"},
    Variable{"UDOCKER_REPOS", "reposdir"},
    Variable{"UDOCKER_LAYERS", "layersdir"},
    Variable{"UDOCKER_CONTAINERS", "containersdir"},
    Variable{"UDOCKER_LOGLEVEL", "verbose_level"},
    Variable{"UDOCKER_INDEX", "dockerio_index_url"},
    Variable{"UDOCKER_REGISTRY", "dockerio_registry_url"},
    Variable{"UDOCKER_TARBALL", "tarball"},
    Variable{"UDOCKER_TMP", "tmpdir"},
    Variable{"UDOCKER_KEYSTORE", "keystore"},
    Variable{"UDOCKER_FAST_AFTER", "fast_after"},
    Variable{"UDOCKER_DEFAULT_EXECUTION_MODE", "override_default_execution_mode"},
    Variable{"UDOCKER_USE_CURL_EXECUTABLE", "use_curl_executable", Empty::counts},
    Variable{"UDOCKER_USE_PROOT_EXECUTABLE", "use_proot_executable", Empty::counts},
    Variable{"UDOCKER_USE_RUNC_EXECUTABLE", "use_runc_executable", Empty::counts},
    Variable{"UDOCKER_USE_SINGULARITY_EXECUTABLE", "use_singularity_executable", Empty::counts},
    Variable{"UDOCKER_USE_PATCHELF_EXECUTABLE", "use_patchelf_executable", Empty::counts},
    Variable{"UDOCKER_LIMIT_SIZE", "limit_size"},
    Variable{"UDOCKER_LIMIT_RATIO", "limit_ratio"},
    Variable{"UDOCKER_LIMIT_ENTRIES", "limit_entries"},
    Variable{"UDOCKER_LIMIT_DEPTH", "limit_depth"},
    Variable{"UDOCKER_LIMIT_FREE_SPACE", "limit_free_space"},
    Variable{"UDOCKER_FAKECHROOT_SO", "fakechroot_so"},
    Variable{"UDOCKER_FAKECHROOT_LIBC", "fakechroot_libc"},
    Variable{"UDOCKER_FAKECHROOT_CMD_SUBST", "fakechroot_cmd_subst", Empty::counts},
    Variable{"UDOCKER_FAKECHROOT_EXPAND_SYMLINKS", "fakechroot_expand_symlinks"},
};

constexpr std::array<std::string_view, 5> k_default_modes{"P1", "P2", "F1", "S1", "R1"};

// From "/", without doubled and trailing slashes. ".." stays: what it means depends on links.
std::string absolute(const std::string& path) {
  std::array<char, 4096> cwd{};
  std::string whole = path;
  if (!path.starts_with('/')) whole = path_join(::getcwd(cwd.data(), cwd.size()) ? cwd.data() : "/", path);
  std::string out;
  for (auto word : path_split(whole)) (out += '/') += word;
  return out.empty() ? "/" : out;
}

// The machine's name in the table default_execution_modes.
std::string mode_table_name(const std::string& machine) {
  if (machine == "aarch64") return "arm64";
  if (machine.starts_with("arm")) return "arm";
  if (machine.size() == 4 && machine.front() == 'i' && machine.ends_with("86")) return "x86";
  return machine;
}

// The values while they are put together from all sources.
class Loader {
 public:
  explicit Loader(const ConfigSources& sources) : sources_(sources) {}

  Result<Config> load() {
    TRY(set_defaults());
    if (!variable("UDOCKER_NOSYSCONF")) TRY(add_file(sources_.system_file, true));
    auto home_file = path_join(absolute(text("homedir")), k_file_name);
    TRY(add_file(home_file, true));
    auto top_file = path_join(absolute(variable("UDOCKER_DIR").value_or(text("topdir"))), k_file_name);
    if (top_file != home_file) TRY(add_file(top_file, true));
    if (!sources_.extra_file.empty()) TRY(add_file(sources_.extra_file, false));
    TRY(add_variables());
    return finish();
  }

 private:
  // Set and not empty.
  [[nodiscard]] std::optional<std::string> variable(std::string_view name) const {
    auto found = sources_.environment.find(std::string(name));
    if (found == sources_.environment.end() || found->second.empty()) return std::nullopt;
    return found->second;
  }

  [[nodiscard]] const Literal& value(std::string_view key) const { return values_.find(key)->second; }
  [[nodiscard]] std::string text(std::string_view key) const { return value(key).text; }
  [[nodiscard]] std::vector<std::string> words(std::string_view key) const {
    return value(key).words().value_or(std::vector<std::string>());
  }
  [[nodiscard]] int number(std::string_view key) const { return static_cast<int>(value(key).number); }

  Result<> set_defaults() {
    for (const auto& key : config_keys()) {
      auto literal = parse_literal(key.default_value);
      if (!literal) return fail(Code::internal, std::string(key.name) + ": " + literal.error().text);
      values_.emplace(key.name, std::move(*literal));
    }
    auto home = path_join(sources_.home.empty() ? "/" : sources_.home, ".udocker");
    values_.find("homedir")->second = Literal::of(home);
    values_.find("topdir")->second = Literal::of(home);
    values_.find("tmpdir")->second = Literal::of(variable("TMPDIR").value_or("/tmp"));
    return {};
  }

  Result<> add_file(const std::string& path, bool may_be_missing) {
    auto content = read_file(path, k_max_file);
    if (!content && content.error().code == Code::not_found) {
      if (!may_be_missing) warnings_.push_back("--config=" + path + ": no such file, ignored");
      return {};
    }
    if (!content) return fail(std::move(content).error().context("configuration file"));
    TRY_ASSIGN(auto file, parse_config_file(*content, path));
    warnings_.insert(warnings_.end(), file.warnings.begin(), file.warnings.end());
    TRY(expand_references(file, path, [&](const std::string& name) -> std::optional<std::string> {
      auto found = values_.find(name);
      if (found == values_.end()) return std::nullopt;
      return found->second.kind == Literal::Kind::none ? "" : found->second.str();
    }));
    for (const auto& line : file.settings) TRY(add_setting(line, path));
    return {};
  }

  Result<> add_setting(const ConfigLine& line, const std::string& path) {
    auto where = path + " line " + std::to_string(line.line) + ": " + line.key;
    // The manual's name for the key.
    const auto* key =
        find_config_key(line.key == "default_execution_mode" ? "override_default_execution_mode" : line.key);
    if (key) return set(*key, line.value, where);
    warnings_.push_back(where + ": no key of the configuration, ignored");
    return {};
  }

  Result<> set(const ConfigKey& key, const std::string& raw, const std::string& where) {
    auto read = read_config_value(key.type, raw);
    if (!read) return fail(std::move(read).error().context(where));
    // A place must be named; "no home directory" has no meaning.
    bool keeps_default =
        read->kind == Literal::Kind::none && (key.name == "homedir" || key.name == "topdir" || key.name == "tmpdir");
    if (keeps_default) return {};
    if (key.type == KeyType::directory && (read->text == "~" || read->text.starts_with("~/")))
      read->text = path_join(sources_.home, read->text.substr(1));
    if (key.name == "override_default_execution_mode") {
      read->text = to_upper(read->text);
      TRY(check_mode(read->text, where));
    }
    values_.find(key.name)->second = std::move(*read);
    return {};
  }

  static Result<> check_mode(const std::string& mode, const std::string& where) {
    bool known =
        mode.empty() || std::find(k_default_modes.begin(), k_default_modes.end(), mode) != k_default_modes.end();
    if (known) return {};
    return fail(Code::usage,
                where + ": '" + mode + "' cannot be the default execution mode, P1, P2, F1, S1 and R1 can");
  }

  Result<> add_variables() {
    for (const auto& row : k_variables) {
      auto found = sources_.environment.find(std::string(row.name));
      if (found == sources_.environment.end() || (found->second.empty() && row.empty == Empty::ignored)) continue;
      bool lower = row.key == "fakechroot_expand_symlinks";
      TRY(set(*find_config_key(row.key), lower ? to_lower(found->second) : found->second, std::string(row.name)));
    }
    return {};
  }

  Result<std::string> default_mode() {
    if (!text("override_default_execution_mode").empty()) return text("override_default_execution_mode");
    const auto& modes = value("default_execution_modes");
    std::string chosen = "P1";
    for (const auto& wanted : {std::string("DEFAULT"), mode_table_name(sources_.machine)}) {
      for (std::size_t i = 0; i < modes.keys.size(); ++i) {
        if (modes.keys[i].text == wanted && !modes.items[i].text.empty()) chosen = to_upper(modes.items[i].text);
      }
    }
    TRY(check_mode(chosen, "configuration key default_execution_modes"));
    return chosen;
  }

  // docker.io follows the keys of Docker Hub unless the table names it itself.
  void fill_registries(Config& config) {
    auto& table = values_.find("docker_registries")->second;
    config.docker_registries["docker.io"] = {text("dockerio_registry_url"), text("dockerio_index_url")};
    for (std::size_t i = 0; i < table.items.size(); ++i) {
      auto urls = table.items[i].words().value_or(std::vector<std::string>{table.items[i].text});
      urls.resize(2);
      config.docker_registries[table.keys[i].text] = {urls[0], urls[1]};
    }
    std::vector<std::pair<std::string, Literal>> rows;
    for (const auto& [name, row] : config.docker_registries)
      rows.emplace_back(name, Literal::list({row.registry, row.index}));
    table = Literal::table(rows);
  }

  void fill_run_settings(container::Settings& run) {
    run.cmd = words("cmd");
    run.root_path = text("root_path");
    run.user_path = text("user_path");
    run.sysdirs_list = words("sysdirs_list");
    run.dri_list = words("dri_list");
    run.valid_host_env = words("valid_host_env");
    run.invalid_host_env = words("invalid_host_env");
    run.tmpdir = absolute(text("tmpdir"));
  }

  // 0 is no limit.
  [[nodiscard]] std::uint64_t limit(std::string_view key, std::uint64_t unit = 1) const {
    const int set = number(key);
    return set == 0 ? UINT64_MAX : static_cast<std::uint64_t>(set) * unit;
  }

  void fill_limits(archive::Limits& limits) {
    constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
    limits.bytes = limit("limit_size", mebibyte);
    limits.ratio = limit("limit_ratio");
    limits.entries = limit("limit_entries");
    limits.depth = limit("limit_depth");
    limits.free_space = value("limit_free_space").flag ? archive::FreeSpace::checked : archive::FreeSpace::ignored;
  }

  void make_absolute() {
    for (const auto& key : config_keys()) {
      auto& literal = values_.find(key.name)->second;
      if (key.type == KeyType::directory && literal.kind == Literal::Kind::text) literal.text = absolute(literal.text);
    }
  }

  Result<Config> finish() {
    if (words("cmd").empty()) return fail(Code::usage, "configuration key cmd: the list is empty, a command is needed");
    make_absolute();
    Config out;
    out.verbose_level = number("verbose_level");
    out.homedir = text("homedir");
    out.keystore = text("keystore").starts_with('/') ? text("keystore") : path_join(out.homedir, text("keystore"));
    fill_run_settings(out.run);
    out.tmpdir = out.run.tmpdir;
    TRY_ASSIGN(out.default_execution_mode, default_mode());
    out.location = text("location");
    fill_limits(out.limits);
    out.use_proot_executable = text("use_proot_executable");
    out.use_runc_executable = text("use_runc_executable");
    out.use_singularity_executable = text("use_singularity_executable");
    out.use_patchelf_executable = text("use_patchelf_executable");
    out.use_curl_executable = text("use_curl_executable");
    out.fakechroot_so = text("fakechroot_so");
    out.http_proxy = text("http_proxy");
    out.http_agent = text("http_agent");
    out.http_insecure = value("http_insecure").flag;
    out.timeout = number("timeout");
    out.ctimeout = number("ctimeout");
    out.fast_after = number("fast_after");
    out.download_timeout = number("download_timeout");
    out.credential_helper_timeout = number("credential_helper_timeout");
    fill_registries(out);
    for (const auto& key : config_keys()) out.values.emplace_back(key.name, value(key.name));
    out.warnings = std::move(warnings_);
    out.use_topdir(text("topdir"));
    return out;
  }

  const ConfigSources& sources_;
  std::map<std::string, Literal, std::less<>> values_;
  std::vector<std::string> warnings_;
};

}  // namespace

ConfigSources config_sources_of_process(std::string extra_file) {
  ConfigSources out;
  out.extra_file = std::move(extra_file);
  for (char** item = environ; item && *item; ++item) {
    std::string_view text(*item);
    auto equals = std::min(text.find('='), text.size());
    if (equals < text.size()) out.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  auto home = out.environment.find("HOME");
  if (home != out.environment.end() && home->second.starts_with('/')) {
    out.home = home->second;
  } else if (auto account = host_user(::geteuid())) {
    out.home = account->home;
  }
  struct utsname name {};
  if (::uname(&name) == 0) out.machine = name.machine;
  return out;
}

std::string variable_of(const ConfigSources& sources, const std::string& name) {
  auto it = sources.environment.find(name);
  return it == sources.environment.end() ? "" : it->second;
}

std::string user_config_dir(const ConfigSources& sources) {
  auto given = variable_of(sources, "XDG_CONFIG_HOME");
  if (given.starts_with('/')) return given;
  return sources.home.empty() ? "" : path_join(sources.home, ".config");
}

void Config::use_topdir(const std::string& dir) {
  topdir = absolute(dir);
  struct Place {
    std::string_view key, name;
    std::string Config::*directory;
  };
  static constexpr std::array k_places{
      Place{"bindir", "bin", &Config::bindir},          Place{"libdir", "lib", &Config::libdir},
      Place{"docdir", "doc", &Config::docdir},          Place{"reposdir", "repos", &Config::reposdir},
      Place{"layersdir", "layers", &Config::layersdir}, Place{"containersdir", "containers", &Config::containersdir}};
  for (auto& [key, value] : values) {
    if (key == "topdir") value = Literal::of(topdir);
    for (const auto& place : k_places) {
      if (place.key == key) this->*place.directory = value.text.empty() ? path_join(topdir, place.name) : value.text;
    }
  }
}

Result<Config> load_config(const ConfigSources& sources) { return Loader(sources).load(); }

}  // namespace udk::cli
