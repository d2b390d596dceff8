#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

// JSON text in the form that Python's json module writes: non-ASCII escaped, numbers as Python shows them, of equal
// keys the last one at the place of the first.
namespace udk::store {

// json.dumps(json.loads(text)): one line, ", " and ": ", order of the keys kept. Code::corrupt if `text` is no JSON or
// nested deeper than 200 levels.
Result<std::string> python_json_line(std::string_view text);
// json.dumps(..., sort_keys=True, indent=4, separators=(",", ": ")), the form of `inspect`.
Result<std::string> python_json_pretty(std::string_view text);

}  // namespace udk::store
