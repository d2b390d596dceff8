#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/commands/commands.hpp"
#include "cli/execution_mode.hpp"
#include "cli/format.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 6> k_options{{
    {"--execmode", Takes::one_value, "MODE", "how the container is run: P1 or P2", "as it is"},
    {"--force", Takes::nothing, "", "set the mode even if it is set already", ""},
    {"--purge", Takes::nothing, "",
     "remove mount points that runs have left, put back files that modes R have replaced", ""},
    {"--fixperm", Takes::nothing, "", "not available in this version", ""},
    {"--nvidia", Takes::nothing, "", "not available in this version", ""},
    k_format_option,
}};

Result<> refuse_missing(const Arguments& arguments) {
  for (const char* option : {"fixperm", "nvidia"}) {
    if (arguments.has(option))
      return fail(Code::unsupported, std::string("setup --") + option + " is not available in this version");
  }
  return {};
}

Result<> set_mode(const store::Containers& containers, const std::string& id, const std::string& text) {
  TRY_ASSIGN(auto mode, parse_mode(text));
  TRY(check_available(mode));
  TRY_ASSIGN(auto entry, containers.entry(id));
  if (entry.protection == store::Protection::on) {
    return fail(Code::denied, "container is protected: " + id + " (udocker unprotect removes the mark)");
  }
  TRY(containers.restore_bound_files(id));
  return containers.set_execution_mode(id, mode);
}

Result<> purge(const store::Containers& containers, const std::string& id) {
  TRY(containers.restore_bound_files(id));
  return containers.purge_mount_points(id);
}

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 1, 1, "a container id or name"));
  TRY(refuse_missing(arguments));
  TRY_ASSIGN(store::Store * store, session.store());
  auto containers = store->containers();
  TRY_ASSIGN(auto id, container_id(*store, arguments.words[0], "invalid container id"));
  if (arguments.has("purge")) TRY(purge(containers, id));
  auto mode = arguments.value("execmode");
  TRY_ASSIGN(const auto format, Format::asked(arguments));
  if (!mode && format) {
    TRY_ASSIGN(const auto line,
               format->line({{"ID", id}, {"Mode", mode_of(session, containers, id)}, {"Nvidia", false}}));
    put(line);
    return k_exit_ok;
  }
  if (!mode) {
    if (!arguments.has("force") && !arguments.has("purge"))
      put_line("execmode: {}\nnvidiamode: False", mode_of(session, containers, id));
    return k_exit_ok;
  }
  if (mode_of(session, containers, id) != to_upper(*mode) || arguments.has("force"))
    TRY(set_mode(containers, id, *mode));
  return k_exit_ok;
}

}  // namespace

const Command k_setup{"setup", "CONTAINER", "show or change how a container is run", k_options, Order::mixed, execute};

}  // namespace udk::cli
