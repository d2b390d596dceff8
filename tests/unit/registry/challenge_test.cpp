#include "registry/challenge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace udk::registry {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Challenge, OfDockerHub) {
  auto all = parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/x:pull,push")");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].scheme, "bearer");
  EXPECT_THAT(all[0].params,
              ElementsAre(Pair("realm", "https://auth.docker.io/token"),
                          Pair("scope", "repository:library/x:pull,push"), Pair("service", "registry.docker.io")));
}

TEST(Challenge, BlanksAnywhereAndCaseOfNames) {
  auto all = parse_challenges(R"(  BEARER   Realm = "a b, c" ,  SERVICE=bare.value , error="insufficient_scope"  )");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].param("realm"), "a b, c");
  EXPECT_EQ(all[0].param("service"), "bare.value");
  EXPECT_EQ(all[0].param("error"), "insufficient_scope");
  EXPECT_EQ(all[0].param("absent"), "");
}

TEST(Challenge, SeveralInOneHeader) {
  auto all =
      parse_challenges(R"(Negotiate YIIabc==, Basic realm="x, y", Bearer realm="https://h/t",service="s", Digest)");
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].scheme, "negotiate");
  EXPECT_TRUE(all[0].params.empty());
  EXPECT_EQ(all[1].scheme, "basic");
  EXPECT_EQ(all[1].param("realm"), "x, y");
  EXPECT_EQ(all[2].param("service"), "s");
  EXPECT_EQ(all[3].scheme, "digest");
}

TEST(Challenge, EscapesAndDuplicates) {
  auto all = parse_challenges(R"(Bearer realm="a\"b\\c",realm="second")");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].param("realm"), R"(a"b\c)");
}

TEST(Challenge, ParametersWithoutCommas) {
  auto all = parse_challenges(R"(Bearer realm="r" service="s" scope="x")");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].param("scope"), "x");
}

TEST(Challenge, UnquotedUrl) {
  EXPECT_EQ(parse_challenges("Bearer realm=https://h/t?a=b,service=s")[0].param("realm"), "https://h/t?a=b");
}

TEST(Challenge, HostileTextEnds) {
  for (std::string_view text : {"", ",", ",,, ,", "=", "\"", "\"\"\"", "Bearer realm=\"unclosed", "Bearer =x", "Bearer",
                                "realm=\"x\"", "Bearer realm=\"x\\", "(((", "Bearer realm", "Basic ,=,\"=,", "a=b=c",
                                "Bearer realm==", "\x01\x02", "Bearer\trealm=\"t\""})
    (void)parse_challenges(text);
  EXPECT_EQ(parse_challenges("Bearer realm=\"unclosed")[0].param("realm"), "unclosed");
  EXPECT_EQ(parse_challenges("realm=\"x\", Basic realm=\"y\"")[0].scheme, "basic");
  std::string zeros("Bearer realm=\"a\0b\"", 18);
  EXPECT_EQ(parse_challenges(zeros)[0].param("realm").size(), 3U);
}

}  // namespace
}  // namespace udk::registry
