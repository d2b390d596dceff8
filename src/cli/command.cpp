#include "cli/command.hpp"

#include <algorithm>
#include <array>

#include "cli/commands/commands.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 8> k_general{{
    {"-D,--debug", Takes::nothing, "", "show what is done, on stderr", ""},
    {"-q,--quiet", Takes::nothing, "", "results and errors only", ""},
    {"--insecure", Takes::nothing, "", "do not verify TLS certificates; allow http", ""},
    {"--repo", Takes::one_value, "DIR", "use the local repository in this directory", "$UDOCKER_DIR or $HOME/.udocker"},
    {"--config", Takes::one_value, "FILE", "read this configuration file last", ""},
    {"--allow-root", Takes::nothing, "", "permit execution as root, which is not recommended", ""},
    {"-V,--version", Takes::nothing, "", "as the command version", ""},
    {"-h,--help", Takes::nothing, "", "this text", ""},
}};

}  // namespace

std::span<const Option> general_options() { return k_general; }

std::span<const Command> all_commands() {
  static const std::array commands{
      k_search,    k_pull,   k_create, k_run,    k_images,   k_ps,     k_inspect, k_rm,       k_rmi,     k_name,
      k_rename,    k_rmname, k_tag,    k_load,   k_save,     k_import, k_export,  k_clone,    k_verify,  k_protect,
      k_unprotect, k_setup,  k_login,  k_logout, k_manifest, k_mkrepo, k_install, k_showconf, k_version, k_help};
  return commands;
}

const Command* find_command(std::string_view name) {
  auto commands = all_commands();
  auto at = std::find_if(commands.begin(), commands.end(), [&](const Command& c) { return c.name == name; });
  return at == commands.end() ? nullptr : &*at;
}

}  // namespace udk::cli
