#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace udk::cli {

// One setting of a configuration file.
struct ConfigLine {
  std::string key;    // lower case
  std::string value;  // continuation lines joined by line ends
  std::size_t line = 0;
};

struct ConfigFile {
  std::vector<ConfigLine> settings;  // each key once, the last one counts
  std::vector<std::string> warnings;
};

// The format of Python's configparser: `key = value` or `key: value`, `#` and `;` comments, indented continuation
// lines. Lines before any section and those of [DEFAULT] count; other sections are skipped with a warning. `name` is
// for messages. Code::usage with file and line for a line that is none of these.
Result<ConfigFile> parse_config_file(std::string_view text, const std::string& name);

// Replaces %(key)s by the value of that key in the file, else by what `fallback` knows, and %% by %; any other % stays.
// A key that leads back to itself means the fallback's value. Code::usage for a key that nobody knows.
Result<> expand_references(ConfigFile& file, const std::string& name,
                           const std::function<std::optional<std::string>(const std::string& key)>& fallback);

}  // namespace udk::cli
