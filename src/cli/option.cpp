#include "cli/option.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.hpp"
#include "cli/suggestion.hpp"

namespace udk::cli {
namespace {

// The row that an option word means: "--volume", "-v"; nullptr for none.
const Option* find_option(std::span<const Option> table, std::string_view word) {
  for (const auto& row : table) {
    for (auto name : split(row.names, ',')) {
      if (name == word) return &row;
    }
  }
  return nullptr;
}

std::string_view key_of(const Option& option) {
  auto name = main_name(option);
  return name.substr(name.find_first_not_of('-'));
}

Unexpected syntax_error(std::string_view at) { return fail(Code::usage, "syntax error at: " + std::string(at)); }

// Only long names: two letters are near to any two letters.
Unexpected unknown_option(std::span<const Option> table, std::string_view word) {
  std::vector<std::string_view> names;
  for (const auto& row : table) {
    for (auto name : split(row.names, ','))
      if (name.starts_with("--")) names.push_back(name);
  }
  return syntax_error(std::string(word) + did_you_mean(word.substr(0, word.find('=')), names));
}

bool is_option_word(std::string_view word) { return word.size() > 1 && word.front() == '-'; }

// CLI11 knows neither `-x=VALUE` nor an empty value after `=`: both become two words. Words that are no option are
// taken out.
class Normalizer {
 public:
  Normalizer(std::span<const Option> table, Order order, std::span<const std::string> words)
      : table_(table), order_(order), left_(words) {}

  Result<> run() {
    while (!left_.empty()) {
      const std::string& word = left_.front();
      if (word == "--") {
        left_ = left_.subspan(1);
        break;
      }
      if (!is_option_word(word)) {
        if (order_ == Order::options_first) break;
        plain.push_back(word);
        left_ = left_.subspan(1);
        continue;
      }
      TRY(take_option(word));
    }
    plain.insert(plain.end(), left_.begin(), left_.end());
    return {};
  }

  std::vector<std::string> options;
  std::vector<std::string> plain;

 private:
  // A word that can be meant as an option is no value: `--name --force IMAGE`. After `=` it is.
  [[nodiscard]] bool is_known_option(std::string_view word) const {
    return find_option(table_, word.substr(0, word.find('='))) != nullptr;
  }

  Result<> take_option(const std::string& word) {
    left_ = left_.subspan(1);
    auto equals = word.find('=');
    const Option* row = find_option(table_, std::string_view(word).substr(0, equals));
    if (!row) {
      if (equals != std::string::npos || word.starts_with("--")) return unknown_option(table_, word);
      options.push_back(word);  // -xy, or unknown: CLI11 decides
      return {};
    }
    if (row->takes == Takes::nothing) {
      if (equals != std::string::npos) return syntax_error(word);
      options.push_back(word);
      return {};
    }
    options.push_back(word.substr(0, equals));
    if (equals != std::string::npos) {
      options.push_back(word.substr(equals + 1));
    } else if (left_.empty() || is_known_option(left_.front())) {
      return syntax_error(word + " (its value is missing: " + word + "=" + std::string(row->value_name) + ")");
    } else {
      options.push_back(left_.front());
      left_ = left_.subspan(1);
    }
    return {};
  }

  std::span<const Option> table_;
  Order order_;
  std::span<const std::string> left_;
};

// One CLI11 application from the table; the slots receive what it finds.
struct Slot {
  const Option* row = nullptr;
  CLI::Option* option = nullptr;
  std::vector<std::string> values;
};

Result<> apply(CLI::App& app, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());  // App::parse(vector) takes them last first
  try {
    app.parse(std::move(words));
  } catch (const CLI::ExtrasError&) {
    return syntax_error(join(app.remaining(), " "));
  } catch (const CLI::Error& error) {
    return fail(Code::usage, "syntax error: " + std::string(error.what()));
  }
  return {};
}

}  // namespace

std::optional<std::string> Arguments::value(std::string_view name) const {
  auto at = values_.find(name);
  if (at == values_.end() || at->second.empty()) return std::nullopt;
  return at->second.back();
}

std::string Arguments::value_or(std::string_view name, std::string_view fallback) const {
  return value(name).value_or(std::string(fallback));
}

std::vector<std::string> Arguments::list(std::string_view name) const {
  auto at = values_.find(name);
  return at == values_.end() ? std::vector<std::string>() : at->second;
}

std::string_view main_name(const Option& option) { return split(option.names, ',').back(); }

Result<Arguments> parse_arguments(std::span<const Option> table, Order order, std::span<const std::string> words) {
  Normalizer normal(table, order, words);
  TRY(normal.run());
  Arguments arguments;
  arguments.words = std::move(normal.plain);
  if (normal.options.empty()) return arguments;  // the common case needs no parser

  CLI::App app;
  app.set_help_flag();
  std::vector<Slot> slots(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    Slot& slot = slots[i];
    slot.row = &table[i];
    const std::string names(table[i].names);
    slot.option = table[i].takes == Takes::nothing ? app.add_flag(names) : app.add_option(names, slot.values);
    if (table[i].takes != Takes::nothing) slot.option->allow_extra_args(false)->expected(1)->take_all();
  }
  TRY(apply(app, std::move(normal.options)));
  for (Slot& slot : slots) {
    if (slot.option->count() == 0) continue;
    if (slot.row->takes == Takes::nothing) arguments.add(key_of(*slot.row), "");
    for (auto& value : slot.values) arguments.add(key_of(*slot.row), std::move(value));
  }
  return arguments;
}

}  // namespace udk::cli
