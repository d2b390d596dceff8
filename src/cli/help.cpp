#include "cli/help.hpp"

#include <fmt/core.h>

#include "base/text.hpp"

namespace udk::cli {
namespace {

constexpr std::string_view k_notes = R"(Examples:
  udocker pull busybox
  udocker create --name=mybox busybox
  udocker run mybox cat /etc/os-release
  udocker run --rm busybox ls /
  udocker run --volume=/data:/mnt --user=root mybox

Notes:
 * images and containers are kept below $HOME/.udocker, or UDOCKER_DIR
 * these host paths appear inside by default, unless --nosysdirs is given:
      /dev /proc /sys /etc/resolv.conf /etc/host.conf /lib/modules
 * udocker COMMAND --help explains the options of a command
)";

// "  --volume=HOST:CONT, -v       text (default: x)"
std::string option_row(const Option& option) {
  std::string names;
  auto all = split(option.names, ',');
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    if (!names.empty()) names += ", ";
    names += *it;
    if (option.takes != Takes::nothing) names += fmt::format("={}", option.value_name);
  }
  std::string text(option.help);
  if (option.takes == Takes::many_values) text += " (may be repeated)";
  if (!option.default_text.empty()) text += fmt::format(" (default: {})", option.default_text);
  return fmt::format("  {:<38} {}\n", names, text);
}

std::string option_rows(std::span<const Option> options) {
  std::string out;
  for (const auto& option : options) out += option_row(option);
  return out;
}

}  // namespace

std::string general_help() {
  std::string out =
      "\nSyntax:\n  udocker [general options] COMMAND [options] [arguments]\n\nGeneral options, before the command:\n";
  out += option_rows(general_options());
  out += "\nCommands:\n";
  for (const auto& command : all_commands()) {
    out += fmt::format("  {:<38} {}\n", fmt::format("{} {}", command.name, command.words), command.summary);
  }
  return out + "\n" + std::string(k_notes);
}

std::string command_help(const Command& command) {
  std::string out = fmt::format("\n{}: {}\n\nSyntax:\n  udocker {}{} {}\n", command.name, command.summary, command.name,
                                command.options.empty() ? "" : " [options]", command.words);
  if (!command.options.empty()) out += "\nOptions:\n" + option_rows(command.options);
  return out;
}

}  // namespace udk::cli
