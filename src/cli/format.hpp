#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/option.hpp"

// Output for programs: --format. Only for .cpp files that make rows.
namespace udk::cli {

// The row of the option tables.
inline constexpr Option k_format_option{"--format", Takes::one_value, "FORMAT",
                                        "json, or a text with fields like {{.ID}}; \\t and \\n are tab and line end",
                                        "a table or text for people"};

// "json": an object a line. Any other text is a template in the manner of Go's: {{.Field}}, {{.Outer.Inner}}, {{.}},
// and {{json .Field}}, which keeps the notation of JSON.
class Format {
 public:
  // What the words of a command ask for, nullopt without the option. Code::usage says what is wrong in the template.
  static Result<std::optional<Format>> asked(const Arguments& arguments);
  static Result<Format> parse(std::string_view text);

  // One row as a line. Code::usage: the row has no such field.
  [[nodiscard]] Result<std::string> line(const nlohmann::ordered_json& row) const;

 private:
  struct Piece {
    std::string text;                // if `field` is empty
    std::vector<std::string> field;  // the names on the way to it; "" alone: all of the row
    bool json = false;
  };
  std::vector<Piece> pieces_;
};

}  // namespace udk::cli
