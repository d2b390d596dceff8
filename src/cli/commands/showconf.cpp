#include <array>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/format.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 1> k_options{{k_format_option}};

nlohmann::ordered_json json_of(const Literal& value) {
  switch (value.kind) {
    case Literal::Kind::none:
      return nullptr;
    case Literal::Kind::boolean:
      return value.flag;
    case Literal::Kind::integer:
      return value.number;
    case Literal::Kind::text:
      return value.text;
    case Literal::Kind::table:
    case Literal::Kind::list:
    case Literal::Kind::tuple:
      break;
  }
  const bool table = value.kind == Literal::Kind::table;
  auto out = table ? nlohmann::ordered_json::object() : nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    if (table)
      out[value.keys[i].str()] = json_of(value.items[i]);
    else
      out.push_back(json_of(value.items[i]));
  }
  return out;
}

// The frame and the Python notation are those of the Python tool: scripts cut the values out of these lines.
Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 0, 0, ""));
  TRY_ASSIGN(const auto format, Format::asked(arguments));
  if (format) {
    nlohmann::ordered_json row;
    for (const auto& [key, value] : session.config().values) row[key] = json_of(value);
    TRY_ASSIGN(const auto line, format->line(row));
    put(line);
    return k_exit_ok;
  }
  const std::string rule(80, '-');
  std::string out = rule + "\n\t\tConfiguration options\n";
  for (const auto& [key, value] : session.config().values) out += fmt::format("{} = {}\n", key, value.str());
  put(out + rule + "\n");
  return k_exit_ok;
}

}  // namespace

const Command k_showconf{"showconf", "", "print the configuration in force", k_options, Order::mixed, execute};

}  // namespace udk::cli
