#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace udk::cli {

// A value in the notation of Python's literals: what configuration files hold and `showconf` prints.
struct Literal {
  enum class Kind { none, boolean, integer, text, list, tuple, table };
  Kind kind = Kind::none;
  bool flag = false;
  std::int64_t number = 0;
  std::string text;
  std::vector<Literal> items;  // list, tuple; the values of a table
  std::vector<Literal> keys;   // of a table, one for each item

  static Literal of(bool value);
  static Literal of(std::int64_t value);
  static Literal of(std::string value);
  static Literal list(const std::vector<std::string>& words, Kind kind = Kind::list);
  static Literal table(const std::vector<std::pair<std::string, Literal>>& rows);

  // The member texts of a list or tuple of texts, nullopt for anything else.
  [[nodiscard]] std::optional<std::vector<std::string>> words() const;
  // As Python's repr() writes it.
  [[nodiscard]] std::string repr() const;
  // As Python's str() writes it: a text without quotes.
  [[nodiscard]] std::string str() const { return kind == Kind::text ? text : repr(); }
};

// None, True, False, decimal integers, quoted texts, lists, tuples and dicts; nested 16 deep at most. Code::usage.
Result<Literal> parse_literal(std::string_view text);

}  // namespace udk::cli
