#include "registry/token.hpp"

#include <gtest/gtest.h>

namespace udk::registry {
namespace {

using std::chrono::seconds;

TEST(Token, BothNames) {
  SteadyTime now{};
  EXPECT_EQ(parse_token(R"({"token":"a.b.c"})", now)->value.reveal(), "a.b.c");
  EXPECT_EQ(parse_token(R"({"access_token":"x"})", now)->value.reveal(), "x");
  EXPECT_EQ(parse_token(R"({"token":"","access_token":"x"})", now)->value.reveal(), "x");
  EXPECT_EQ(parse_token(R"({"token":"t","access_token":"x"})", now)->value.reveal(), "t");
}

TEST(Token, Life) {
  SteadyTime now{};
  auto life = [&](const char* text) {
    auto token = parse_token(text, now);
    return token->expires - now;
  };
  EXPECT_EQ(life(R"({"token":"a"})"), seconds(55));
  EXPECT_EQ(life(R"({"token":"a","expires_in":300})"), seconds(295));
  EXPECT_EQ(life(R"({"token":"a","expires_in":1})"), seconds(55));
  EXPECT_EQ(life(R"({"token":"a","expires_in":-5})"), seconds(55));
  EXPECT_EQ(life(R"({"token":"a","expires_in":1e300})"), seconds(24 * 3600 - 5));
  EXPECT_EQ(life(R"({"token":"a","expires_in":"300"})"), seconds(55));
  EXPECT_TRUE(parse_token(R"({"token":"a"})", now)->is_valid(now));
  EXPECT_FALSE(parse_token(R"({"token":"a"})", now)->is_valid(now + seconds(56)));
}

TEST(Token, Refuses) {
  for (const char* text : {"", "[]", "null", "{}", R"({"token":1})", R"({"token":"a\r\nX: y"})", R"({"token":"a b"})",
                           R"({"token":"\u00e9"})", "{\"token\":"})
    EXPECT_EQ(parse_token(text, {}).error().code, Code::corrupt) << text;
}

}  // namespace
}  // namespace udk::registry
