#include "store/python_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace udk::store {
namespace {

constexpr std::size_t k_max_nesting = 200;

struct Member;

// A JSON value whose scalars are already in Python's notation.
struct Value {
  enum class Kind { scalar, array, object } kind = Kind::scalar;
  std::string text;         // scalar
  std::vector<Member> all;  // array, object
};

struct Member {
  std::string key;  // as it is, not escaped; empty in an array
  Value value;
};

void append_unit(std::string& out, unsigned unit) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[(unit >> shift) & 15U];
}

// One code point of valid UTF-8 (the parser has checked it) at text[i]; i moves behind it.
unsigned take_code_point(std::string_view text, std::size_t& i) {
  auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  unsigned first = byte(i++);
  if (first < 0x80) return first;
  unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  unsigned point = first & (0x3fU >> more);
  for (; more > 0 && i < text.size(); --more) point = (point << 6) | (byte(i++) & 0x3fU);
  return point;
}

// ensure_ascii=True: everything outside the printable ASCII is escaped, above U+FFFF as a surrogate pair.
std::string quote(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    unsigned point = take_code_point(text, i);
    constexpr std::string_view plain = "\"\\\n\r\t\f\b", escaped = "\"\\nrtfb";
    if (point < 0x80) {
      if (auto at = plain.find(static_cast<char>(point)); at != std::string_view::npos) {
        (out += '\\') += escaped[at];
        continue;
      }
      if (point >= 0x20 && point != 0x7f) {
        out += static_cast<char>(point);
        continue;
      }
    }
    if (point > 0xffff) {
      append_unit(out, 0xd800U + ((point - 0x10000U) >> 10));
      append_unit(out, 0xdc00U + ((point - 0x10000U) & 0x3ffU));
    } else {
      append_unit(out, point);
    }
  }
  return out + '"';
}

// repr(float): the shortest digits that read back as the same number; with an exponent below 1e-4 and from 1e16 on.
std::string python_float(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  std::array<char, 400> buffer{};
  double size = std::fabs(number);
  bool exponent = number != 0 && (size < 1e-4 || size >= 1e16);
  auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                           exponent ? std::chars_format::scientific : std::chars_format::fixed)
                 .ptr;
  std::string text(buffer.data(), end);
  if (!exponent && text.find('.') == std::string::npos) text += ".0";
  return text;
}

// A number as it stands in the document. Python's integers have any length.
std::string python_number(const std::string& text, double value) {
  if (text.find_first_of(".eE") == std::string::npos) return text == "-0" ? "0" : text;
  return python_float(value);
}

class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return scalar("null"); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return scalar(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(std::to_string(value)); }
  bool number_float(number_float_t value, const string_t& text) override { return scalar(python_number(text, value)); }
  bool string(string_t& value) override { return scalar(quote(value)); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return open(Value::Kind::object); }
  bool start_array(std::size_t /*size*/) override { return open(Value::Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    open_.back().key = value;
    return true;
  }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*e*/) override {
    return false;
  }

  Value& result() { return root_; }

 private:
  struct Level {
    Value value;
    std::string key;                                     // of the member that comes next
    std::unordered_map<std::string, std::size_t> index;  // of an object: where each key is
  };

  bool scalar(std::string text) {
    Value value;
    value.text = std::move(text);
    put(std::move(value));
    return true;
  }
  bool open(Value::Kind kind) {
    if (open_.size() >= k_max_nesting) return false;
    open_.emplace_back().value.kind = kind;
    return true;
  }
  bool close() {
    Value value = std::move(open_.back().value);
    open_.pop_back();
    put(std::move(value));
    return true;
  }
  void put(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Level& top = open_.back();
    if (top.value.kind == Value::Kind::array) {
      top.value.all.push_back({std::string(), std::move(value)});
      return;
    }
    auto [at, is_new] = top.index.emplace(top.key, top.value.all.size());
    if (is_new)
      top.value.all.push_back({top.key, std::move(value)});
    else
      top.value.all[at->second].value = std::move(value);
  }

  std::vector<Level> open_;
  Value root_;
};

enum class Form { line, pretty };

// Recursion is bounded by k_max_nesting.
void write(const Value& value, Form form, std::size_t depth, std::string& out) {  // NOLINT(misc-no-recursion)
  if (value.kind == Value::Kind::scalar) {
    out += value.text;
    return;
  }
  bool object = value.kind == Value::Kind::object;
  std::string line_end = form == Form::pretty && !value.all.empty() ? "\n" + std::string(4 * (depth + 1), ' ') : "";
  out += object ? '{' : '[';
  bool first = true;
  for (const auto& [key, member] : value.all) {
    if (!first) out += form == Form::line ? ", " : ",";
    first = false;
    out += line_end;
    if (object) (out += quote(key)) += ": ";
    write(member, form, depth + 1, out);
  }
  if (!line_end.empty()) out.append(line_end, 0, line_end.size() - 4);
  out += object ? '}' : ']';
}

void sort_keys(Value& value) {  // NOLINT(misc-no-recursion): bounded by k_max_nesting
  if (value.kind == Value::Kind::object)
    std::sort(value.all.begin(), value.all.end(), [](const Member& a, const Member& b) { return a.key < b.key; });
  for (auto& member : value.all) sort_keys(member.value);
}

Result<Value> parse(std::string_view text) {
  Builder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder))
    return fail(Code::corrupt, "not valid JSON, or nested too deeply");
  return std::move(builder.result());
}

}  // namespace

Result<std::string> python_json_line(std::string_view text) {
  TRY_ASSIGN(Value value, parse(text));
  std::string out;
  write(value, Form::line, 0, out);
  return out;
}

Result<std::string> python_json_pretty(std::string_view text) {
  TRY_ASSIGN(Value value, parse(text));
  sort_keys(value);
  std::string out;
  write(value, Form::pretty, 0, out);
  return out;
}

}  // namespace udk::store
