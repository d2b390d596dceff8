#include "cli/literal.hpp"

#include <array>
#include <charconv>

#include "base/text.hpp"

namespace udk::cli {
namespace {

constexpr int k_max_depth = 16;

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<Literal> whole() {
    TRY_ASSIGN(auto value, parse(0));
    skip_blanks();
    if (!rest_.empty()) return bad("unexpected text behind the value");
    return value;
  }

 private:
  [[nodiscard]] Unexpected bad(std::string_view cause) const {
    std::string where = rest_.empty() ? " at the end" : " at '" + std::string(rest_.substr(0, 20)) + "'";
    return fail(Code::usage, std::string(cause) + where);
  }
  void skip_blanks() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos)
      rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Result<Literal> parse(int depth) {
    skip_blanks();
    if (depth > k_max_depth) return bad("nested too deeply");
    if (rest_.empty()) return bad("a value is missing");
    char c = rest_.front();
    if (c == '\'' || c == '"') return texts();
    if (c == '[') return sequence(Literal::Kind::list, ']', depth);
    if (c == '(') return sequence(Literal::Kind::tuple, ')', depth);
    if (c == '{') return table(depth);
    return word();
  }

  Result<Literal> word() {
    auto end = std::min(rest_.find_first_of(" \t\r\n,:()[]{}'\""), rest_.size());
    auto text = rest_.substr(0, end);
    Literal out;
    if (text == "True" || text == "False") {
      out = Literal::of(text == "True");
    } else if (text != "None") {
      out.kind = Literal::Kind::integer;
      auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out.number);
      if (error != std::errc{} || stop != text.data() + text.size())
        return bad("neither a number nor a quoted text nor True, False or None");
    }
    rest_.remove_prefix(end);
    return out;
  }

  // Adjacent texts are one, as in Python.
  Result<Literal> texts() {
    Literal out = Literal::of(std::string());
    while (rest_.starts_with('\'') || rest_.starts_with('"')) {
      char quote = rest_.front();
      rest_.remove_prefix(1);
      while (!rest_.starts_with(quote)) {
        if (rest_.empty() || rest_.front() == '\n') return bad("a text is not closed");
        TRY_ASSIGN(char c, character());
        out.text += c;
      }
      rest_.remove_prefix(1);
      skip_blanks();
    }
    return out;
  }

  Result<char> character() {
    char c = rest_.front();
    rest_.remove_prefix(1);
    if (c != '\\') return c;
    if (rest_.empty()) return bad("a text is not closed");
    constexpr std::string_view k_letters = "nrt\\'\"";
    constexpr std::string_view k_meanings = "\n\r\t\\'\"";
    auto at = k_letters.find(rest_.front());
    if (at != std::string_view::npos) {
      rest_.remove_prefix(1);
      return k_meanings[at];
    }
    unsigned value = 0;
    auto digits = rest_.starts_with('x') ? rest_.substr(1, 2) : std::string_view();
    auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc{} || stop != digits.data() + 2) return c;
    rest_.remove_prefix(3);
    return static_cast<char>(value);
  }

  Result<Literal> sequence(Literal::Kind kind, char close, int depth) {
    rest_.remove_prefix(1);
    Literal out;
    out.kind = kind;
    bool comma = false;
    while (!take(close)) {
      if (!out.items.empty() && !comma) return bad("a comma is missing");
      TRY_ASSIGN(auto item, parse(depth + 1));
      out.items.push_back(std::move(item));
      comma = take(',');
    }
    // ("x") is a text in brackets, ("x",) a tuple.
    if (kind == Literal::Kind::tuple && out.items.size() == 1 && !comma) {
      auto item = std::move(out.items[0]);
      return item;
    }
    return out;
  }

  Result<Literal> table(int depth) {
    rest_.remove_prefix(1);
    Literal out;
    out.kind = Literal::Kind::table;
    bool comma = false;
    while (!take('}')) {
      if (!out.items.empty() && !comma) return bad("a comma is missing");
      TRY_ASSIGN(auto key, parse(depth + 1));
      if (!take(':')) return bad("a colon is missing");
      TRY_ASSIGN(auto item, parse(depth + 1));
      out.keys.push_back(std::move(key));
      out.items.push_back(std::move(item));
      comma = take(',');
    }
    return out;
  }

  std::string_view rest_;
};

std::string quoted(std::string_view text) {
  bool single = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  char quote = single ? '"' : '\'';
  std::string out(1, quote);
  for (char c : text) {
    if (c == quote || c == '\\') {
      (out += '\\') += c;
    } else if (c == '\n' || c == '\r' || c == '\t') {
      (out += '\\') += c == '\n' ? 'n' : (c == '\r' ? 'r' : 't');
    } else {
      out += printable(std::string_view(&c, 1));
    }
  }
  return out += quote;
}

}  // namespace

Literal Literal::of(bool value) {
  Literal out;
  out.kind = Kind::boolean;
  out.flag = value;
  return out;
}

Literal Literal::of(std::int64_t value) {
  Literal out;
  out.kind = Kind::integer;
  out.number = value;
  return out;
}

Literal Literal::of(std::string value) {
  Literal out;
  out.kind = Kind::text;
  out.text = std::move(value);
  return out;
}

Literal Literal::list(const std::vector<std::string>& words, Kind kind) {
  Literal out;
  out.kind = kind;
  for (const auto& word : words) out.items.push_back(of(word));
  return out;
}

Literal Literal::table(const std::vector<std::pair<std::string, Literal>>& rows) {
  Literal out;
  out.kind = Kind::table;
  for (const auto& [key, value] : rows) {
    out.keys.push_back(of(key));
    out.items.push_back(value);
  }
  return out;
}

std::optional<std::vector<std::string>> Literal::words() const {
  if (kind != Kind::list && kind != Kind::tuple) return std::nullopt;
  std::vector<std::string> out;
  for (const auto& item : items) {
    if (item.kind != Kind::text) return std::nullopt;
    out.push_back(item.text);
  }
  return out;
}

std::string Literal::repr() const {
  switch (kind) {
    case Kind::none:
      return "None";
    case Kind::boolean:
      return flag ? "True" : "False";
    case Kind::integer:
      return std::to_string(number);
    case Kind::text:
      return quoted(text);
    default:
      break;
  }
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < items.size(); ++i)
    parts.push_back((kind == Kind::table ? keys[i].repr() + ": " : "") + items[i].repr());
  if (kind == Kind::table) return "{" + join(parts, ", ") + "}";
  if (kind == Kind::list) return "[" + join(parts, ", ") + "]";
  return "(" + join(parts, ", ") + (parts.size() == 1 ? ",)" : ")");
}

Result<Literal> parse_literal(std::string_view text) { return Parser(text).whole(); }

}  // namespace udk::cli
