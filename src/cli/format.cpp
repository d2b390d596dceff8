#include "cli/format.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace udk::cli {
namespace {

using Json = nlohmann::ordered_json;

// Names from outside need not be UTF-8.
std::string dump(const Json& value) {
  return printable_json(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string plain(const Json& value) {
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  if (value.is_null()) return "<no value>";
  if (!value.is_array()) return dump(value);
  std::string out;
  for (const auto& item : value) out += (out.empty() ? "" : " ") + plain(item);
  return "[" + out + "]";
}

// "\t" and "\n" as the shells of users hand them over: backslash and letter.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] != '\\' || (next != 't' && next != 'n')) {
      out += text[i];
      continue;
    }
    out += next == 't' ? '\t' : '\n';
    ++i;
  }
  return out;
}

Unexpected bad_template(std::string_view what, std::string_view inside) {
  return fail(Code::usage, "--format: " + std::string(what) + ": {{" + std::string(inside) +
                               "}} (json, or a text with {{.Field}} and {{json .Field}})");
}

std::string names_of(const Json& value) {
  std::vector<std::string> names;
  if (value.is_object())
    for (const auto& item : value.items()) names.push_back(item.key());
  return names.empty() ? "it has no fields" : "there are " + join(names, ", ");
}

}  // namespace

Result<std::optional<Format>> Format::asked(const Arguments& arguments) {
  const auto text = arguments.value("format");
  if (!text) return std::nullopt;
  TRY_ASSIGN(auto format, parse(*text));
  return format;
}

Result<Format> Format::parse(std::string_view text) {
  Format format;
  if (text == "json") text = "{{json .}}";
  while (!text.empty()) {
    const std::size_t open = std::min(text.find("{{"), text.size());
    if (open > 0) format.pieces_.push_back({unescaped(text.substr(0, open)), {}});
    text.remove_prefix(open);
    if (text.empty()) break;
    const std::size_t close = text.find("}}");
    if (close == std::string_view::npos) return bad_template("no end", text.substr(2));
    const std::string_view inside = text.substr(2, close - 2);
    auto words = split_blank(inside);
    Piece piece;
    piece.json = words.size() == 2 && words[0] == "json";
    if (words.size() != (piece.json ? 2U : 1U) || !words.back().starts_with('.'))
      return bad_template("not understood", inside);
    for (const auto name : split(words.back().substr(1), '.')) piece.field.emplace_back(name);
    format.pieces_.push_back(std::move(piece));
    text.remove_prefix(close + 2);
  }
  return format;
}

Result<std::string> Format::line(const Json& row) const {
  std::string out;
  for (const auto& piece : pieces_) {
    if (piece.field.empty()) {
      out += piece.text;
      continue;
    }
    const Json* value = &row;
    for (const auto& name : piece.field) {
      if (name.empty() && piece.field.size() == 1) break;
      const auto found = value->is_object() ? value->find(name) : value->end();
      if (found == value->end())
        return fail(Code::usage, "--format: no field " + join(piece.field, ".") + ", " + names_of(*value));
      value = &*found;
    }
    out += piece.json ? dump(*value) : plain(*value);
  }
  return out + "\n";
}

}  // namespace udk::cli
