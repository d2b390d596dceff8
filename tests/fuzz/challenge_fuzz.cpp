// What a server sends to be authenticated: the header, the token server's address and its answer, dates and ranges.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "registry/authorizer.hpp"
#include "registry/blob_fetch.hpp"
#include "registry/challenge.hpp"
#include "registry/manifests.hpp"
#include "registry/retry.hpp"
#include "registry/token.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace udk::registry;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto asked = *Url::parse("https://registry.example/v2/");
  std::size_t length = 0;
  for (const auto& challenge : parse_challenges(text)) {
    require(!challenge.scheme.empty());
    length += challenge.scheme.size();
    for (const auto& [name, value] : challenge.params) length += name.size() + value.size();
    auto realm = check_realm(challenge.param("realm"), asked, udk::registry::Tls::verify);
    require(!realm || realm->is_https() || realm->is_loopback() || realm->host() == asked.host());
  }
  require(length <= size);
  if (auto token = parse_token(text, {})) require(token->value.reveal().find_first_of(" \r\n") == std::string::npos);
  if (auto target = asked.resolve(text)) require(target->text().find_first_of("\r\n") == std::string::npos);
  if (auto range = parse_content_range(text)) require(range->first <= range->last);
  (void)parse_retry_after(text, 0);
  (void)next_link(text);
  return 0;
}
