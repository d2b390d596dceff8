#include "registry/token.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace udk::registry {
namespace {

constexpr std::chrono::seconds k_shortest_life{60};
constexpr std::chrono::seconds k_longest_life{24 * 3600};
// A request that is on its way when the token ends would be refused.
constexpr std::chrono::seconds k_margin{5};

}  // namespace

bool is_header_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<Token> parse_token(std::string_view body, SteadyTime now) {
  auto document = nlohmann::json::parse(body, nullptr, false);
  if (!document.is_object()) return fail(Code::corrupt, "the token server's answer is not a JSON object");
  std::string text;
  for (const char* key : {"token", "access_token"}) {
    auto it = document.find(key);
    if (text.empty() && it != document.end() && it->is_string()) text = it->get<std::string>();
  }
  if (text.empty()) return fail(Code::corrupt, "the token server's answer holds no token");
  if (!is_header_text(text)) return fail(Code::corrupt, "the token server's token holds forbidden characters");
  auto life = k_shortest_life;
  auto given = document.find("expires_in");
  if (given != document.end() && given->is_number()) {
    auto seconds = std::clamp(given->get<double>(), 0.0, static_cast<double>(k_longest_life.count()));
    life = std::max(life, std::chrono::seconds(static_cast<std::int64_t>(seconds)));
  }
  return Token{Secret(std::move(text)), now + life - k_margin};
}

}  // namespace udk::registry
