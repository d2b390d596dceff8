#include "cli/registries.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "base/path.hpp"

namespace udk::cli {
namespace {

constexpr std::size_t k_max_registries_file = std::size_t{1} << 20;

Result<> add_drop_ins(const std::string& dir, std::vector<std::string>& out) {
  auto names = list_dir(dir);
  if (!names && names.error().code == Code::not_found) return {};
  if (!names) return fail(std::move(names).error());
  std::sort(names->begin(), names->end());
  for (const auto& name : *names)
    if (name.ends_with(".conf") && !is_dir(path_join(dir, name))) out.push_back(path_join(dir, name));
  return {};
}

}  // namespace

Result<std::vector<std::string>> registries_files(const ConfigSources& sources, const std::string& system_dir) {
  std::vector<std::string> out;
  const auto named = variable_of(sources, "CONTAINERS_REGISTRIES_CONF");
  const auto config_dir = user_config_dir(sources);
  const auto user_dir = config_dir.empty() ? "" : path_join(config_dir, "containers");
  const auto user_file = path_join(user_dir, "registries.conf");
  const bool user_alone = named.empty() && !user_dir.empty() && exists(user_file);
  if (!named.empty() && !exists(named))
    return fail(Code::not_found, "CONTAINERS_REGISTRIES_CONF: " + named + ": no such file");
  const auto main_file = !named.empty() ? named : user_alone ? user_file : path_join(system_dir, "registries.conf");
  if (exists(main_file)) out.push_back(main_file);
  if (!user_alone) TRY(add_drop_ins(path_join(system_dir, "registries.conf.d"), out));
  if (!user_dir.empty()) TRY(add_drop_ins(path_join(user_dir, "registries.conf.d"), out));
  return out;
}

Result<registry::Registries> load_registries() {
  registry::Registries out;
  TRY_ASSIGN(const auto files, registries_files(config_sources_of_process(""), "/etc/containers"));
  for (const auto& file : files) {
    auto text = read_file(file, k_max_registries_file);
    if (!text) return fail(std::move(text).error().context("configuration of registries"));
    if (auto added = out.add(*text, file); !added)
      return fail(std::move(added).error().context("configuration of registries"));
  }
  return out;
}

}  // namespace udk::cli
