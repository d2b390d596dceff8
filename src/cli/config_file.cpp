#include "cli/config_file.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace udk::cli {
namespace {

constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

std::size_t indent_of(std::string_view line) { return std::min(line.find_first_not_of(" \t"), line.size()); }

class FileParser {
 public:
  explicit FileParser(const std::string& name) : name_(name) {}

  Result<> add(std::string_view line) {
    ++number_;
    auto text = trim(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') return {};
    auto indent = indent_of(line);
    if (current_ && indent > current_indent_) {
      if (counts_) (file_.settings.back().value += "\n") += text;
      return {};
    }
    if (text.front() == '[' && text.back() == ']') return start_section(text);
    auto end = text.find_first_of("=:");
    auto key = to_lower(trim(text.substr(0, std::min(end, text.size()))));
    if (end == std::string_view::npos || key.empty())
      return fail(Code::usage,
                  where() + ": '" + std::string(text.substr(0, 60)) + "' is no line of the form key = value");
    current_ = true;
    current_indent_ = indent;
    if (!counts_) return {};
    std::erase_if(file_.settings, [&](const ConfigLine& old) { return old.key == key; });
    file_.settings.push_back({std::move(key), std::string(trim(text.substr(end + 1))), number_});
    return {};
  }
  ConfigFile take() { return std::move(file_); }

 private:
  Result<> start_section(std::string_view text) {
    current_ = false;
    counts_ = text == "[DEFAULT]";
    if (!counts_)
      file_.warnings.push_back(where() + ": section " + std::string(text) + " is not used, only [DEFAULT] is");
    return {};
  }
  [[nodiscard]] std::string where() const { return name_ + " line " + std::to_string(number_); }

  const std::string& name_;
  ConfigFile file_;
  std::size_t number_ = 0;
  std::size_t current_indent_ = 0;
  bool current_ = false;  // a line of a setting has been seen: more deeply indented ones continue it
  bool counts_ = true;    // in a section that is used
};

constexpr int k_max_references = 1000;  // so that a few lines cannot fill the memory

// Expands the settings of one file, each with the chain of keys that led to it.
class Expander {
 public:
  Expander(const ConfigFile& file, const std::string& name,
           const std::function<std::optional<std::string>(const std::string&)>& fallback)
      : file_(file), name_(name), fallback_(fallback) {}

  Result<std::string> expand(const ConfigLine& setting, std::vector<std::string> chain) {
    chain.push_back(setting.key);
    std::string out;
    std::string_view rest = setting.value;
    while (!rest.empty()) {
      auto percent = std::min(rest.find('%'), rest.size());
      out += rest.substr(0, percent);
      rest.remove_prefix(percent);
      auto end = rest.starts_with("%(") ? rest.find(")s") : std::string_view::npos;
      if (end != std::string_view::npos) {
        TRY_ASSIGN(auto value, value_of(to_lower(rest.substr(2, end - 2)), setting, chain));
        out += value;
        rest.remove_prefix(end + 2);
      } else if (!rest.empty()) {
        out += '%';
        rest.remove_prefix(rest.starts_with("%%") ? 2 : 1);
      }
    }
    return out;
  }

 private:
  Result<std::string> value_of(const std::string& key, const ConfigLine& setting,
                               const std::vector<std::string>& chain) {
    if (++references_ > k_max_references)
      return fail(Code::usage, name_ + " line " + std::to_string(setting.line) + ": too many %(...)s references");
    bool circular = std::find(chain.begin(), chain.end(), key) != chain.end();
    auto found = std::find_if(file_.settings.begin(), file_.settings.end(),
                              [&](const ConfigLine& line) { return line.key == key; });
    if (!circular && found != file_.settings.end()) return expand(*found, chain);
    if (auto value = fallback_(key)) return *value;
    return fail(Code::usage, name_ + " line " + std::to_string(setting.line) + ": " + setting.key +
                                 ": refers to the unknown key %(" + key + ")s");
  }
  const ConfigFile& file_;
  const std::string& name_;
  const std::function<std::optional<std::string>(const std::string&)>& fallback_;
  int references_ = 0;
};

}  // namespace

Result<ConfigFile> parse_config_file(std::string_view text, const std::string& name) {
  if (text.starts_with(k_byte_order_mark)) text.remove_prefix(k_byte_order_mark.size());
  FileParser parser(name);
  for (auto line : split(text, '\n')) TRY(parser.add(line));
  return parser.take();
}

Result<> expand_references(ConfigFile& file, const std::string& name,
                           const std::function<std::optional<std::string>(const std::string& key)>& fallback) {
  std::vector<std::string> values;
  Expander expander(file, name, fallback);
  for (const auto& setting : file.settings) {
    TRY_ASSIGN(auto value, expander.expand(setting, {}));
    values.push_back(std::move(value));
  }
  for (std::size_t i = 0; i < values.size(); ++i) file.settings[i].value = std::move(values[i]);
  return {};
}

}  // namespace udk::cli
