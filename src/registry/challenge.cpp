#include "registry/challenge.hpp"

#include <optional>

#include "base/text.hpp"

namespace udk::registry {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// tchar of RFC 9110, section 5.6.2
bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

// Reads a header value from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  [[nodiscard]] std::size_t position() const { return at_; }
  void seek(std::size_t at) { at_ = at; }
  bool blanks() {
    auto begin = at_;
    while (is_blank(peek())) ++at_;
    return at_ > begin;
  }
  void separators() {
    while (is_blank(peek()) || peek() == ',') ++at_;
  }
  bool accept(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view token() {
    auto begin = at_;
    while (!at_end() && is_token_char(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  // A quoted-string without its quotes and escapes; one that is not closed reaches to the end.
  std::string quoted() {
    std::string out;
    ++at_;
    while (!at_end() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_++];
    }
    accept('"');
    return out;
  }
  // Values without quotes are tokens by the grammar; servers also send URLs bare.
  std::string_view bare() {
    auto begin = at_;
    while (!at_end() && peek() != ',' && !is_blank(peek())) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  void skip_to_comma() {
    while (!at_end() && peek() != ',') {
      if (peek() == '"')
        quoted();
      else
        ++at_;
    }
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

struct Param {
  std::string name, value;
};

// name BWS = BWS value; the reader stays where it was if that is not what follows.
std::optional<Param> read_param(Reader& reader) {
  auto begin = reader.position();
  auto name = reader.token();
  reader.blanks();
  if (name.empty() || !reader.accept('=') || reader.peek() == '=') {
    reader.seek(begin);
    return std::nullopt;
  }
  reader.blanks();
  std::string value = reader.peek() == '"' ? reader.quoted() : std::string(reader.bare());
  return Param{to_lower(name), std::move(value)};
}

}  // namespace

std::string Challenge::param(const std::string& name) const {
  auto it = params.find(name);
  return it == params.end() ? std::string() : it->second;
}

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> out;
  Reader reader(header);
  for (reader.separators(); !reader.at_end(); reader.separators()) {
    if (!out.empty()) {
      if (auto param = read_param(reader)) {
        out.back().params.emplace(std::move(param->name), std::move(param->value));
        continue;
      }
    }
    auto scheme = reader.token();
    if (scheme.empty() || (!reader.blanks() && !reader.at_end() && reader.peek() != ',')) {
      reader.skip_to_comma();
      continue;
    }
    out.push_back({to_lower(scheme), {}});
    auto param = read_param(reader);
    if (param)
      out.back().params.emplace(std::move(param->name), std::move(param->value));
    else
      reader.skip_to_comma();  // token68 of another scheme
  }
  return out;
}

}  // namespace udk::registry
