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

constexpr std::size_t k_text_column = 41;
constexpr std::size_t k_line_length = 100;

// A row of two columns; a name that is too long for the first one has a line of its own, and the text is wrapped.
std::string row(std::string_view name, std::string_view text) {
  std::string out = fmt::format("  {:<{}}", name, k_text_column - 2);
  std::size_t column = out.size();
  const std::string indent = "\n" + std::string(k_text_column, ' ');
  if (column > k_text_column) {
    out += indent;
    column = k_text_column;
  }
  bool first = true;
  for (const auto word : split(text, ' ')) {
    const std::size_t width = word.size() + (first ? 0 : 1);
    if (!first && column + width > k_line_length) {
      out += indent;
      column = k_text_column;
      first = true;
    }
    if (!first) out += ' ';
    out += word;
    column += word.size() + (first ? 0 : 1);
    first = false;
  }
  return out + '\n';
}

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
  if (option.takes != Takes::nothing)
    text += fmt::format(" ({}default: {})", option.takes == Takes::many_values ? "may be repeated; " : "",
                        option.default_text.empty() ? "none" : option.default_text);
  return row(names, text);
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
    out += row(fmt::format("{} {}", command.name, command.words), command.summary);
  }
  return out + "\n" + std::string(k_notes);
}

std::string command_help(const Command& command) {
  std::string out = fmt::format("\n{}: {}\n\nSyntax:\n  udocker {}{} {}\n", command.name, command.summary, command.name,
                                command.options.empty() ? "" : " [options]", command.words);
  if (!command.options.empty())
    out += "\nOptions (those without a value are off unless given):\n" + option_rows(command.options);
  return out;
}

}  // namespace udk::cli
