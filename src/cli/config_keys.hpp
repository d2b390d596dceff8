#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"
#include "cli/literal.hpp"

namespace udk::cli {

enum class KeyType {
  text,
  optional_text,  // or None
  directory,      // optional_text; a leading "~/" is the home directory
  number,         // whole, not negative
  level,          // whole
  flag,
  tri_state,   // True, False or None
  words,       // list of texts
  word_lists,  // list of lists of texts
  table,       // texts to texts or to lists of texts
};

// A configuration key with its default as a Python literal.
struct ConfigKey {
  std::string_view name;
  KeyType type;
  std::string_view default_value;
};

// In the order of `showconf`.
std::span<const ConfigKey> config_keys();
// nullptr for a name that is no key.
const ConfigKey* find_config_key(std::string_view name);

// The words of a configuration file or variable as a value of that type: a Python literal, or plainly True/yes/on/1 for
// flags, words between blanks or commas for lists, anything for texts. Code::usage says what is expected.
Result<Literal> read_config_value(KeyType type, std::string_view text);

}  // namespace udk::cli
