#pragma once

#include <fmt/core.h>

#include <string>
#include <utility>

namespace udk {

// Text that must not reach a log: it formats as ***; reveal() is the one way to the text.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& reveal() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

}  // namespace udk

template <>
struct fmt::formatter<udk::Secret> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  template <class C>
  auto format(const udk::Secret&, C& context) const {
    auto out = context.out();
    for (char c : {'*', '*', '*'}) *out++ = c;
    return out;
  }
};
