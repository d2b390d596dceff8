#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace udk::cli {

enum class Takes { nothing, one_value, many_values };

// One row of an option table; the table is the parser's input and the text of --help.
struct Option {
  std::string_view names;  // "-v,--volume": the last one names the value in Arguments
  Takes takes = Takes::nothing;
  std::string_view value_name;  // shown in the help
  std::string_view help;
  std::string_view default_text;  // of an option with a value; shown in the help, "" for none
};

// Where options end: at the first word that is none (general options, run), or nowhere (all other commands).
enum class Order { options_first, mixed };

// The words of a command after parsing. Options are asked for by their last name without dashes ("volume").
class Arguments {
 public:
  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
  // The value given last.
  [[nodiscard]] std::optional<std::string> value(std::string_view name) const;
  [[nodiscard]] std::string value_or(std::string_view name, std::string_view fallback) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view name) const;

  std::vector<std::string> words;  // what is no option, in order, empty ones included
  std::string_view command;        // whose they are, for messages; "" for the general options

  void add(std::string_view name, std::string value) { values_[std::string(name)].push_back(std::move(value)); }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// Sorts `words` by the table. `--x=V`, `--x V`, `-x=V`, `-x V`, `-xy` for two flags; `--` ends the options; an empty
// value is a value. Errors: Code::usage, "syntax error at: WORD", with what was probably meant.
Result<Arguments> parse_arguments(std::span<const Option> table, Order order, std::span<const std::string> words);

// "--volume" for "-v,--volume".
std::string_view main_name(const Option& option);

}  // namespace udk::cli
