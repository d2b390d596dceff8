#include "cli/option.hpp"

#include <gtest/gtest.h>

#include <array>

namespace udk::cli {
namespace {

constexpr std::array<Option, 5> k_table{{
    {"-v,--volume", Takes::many_values, "H:C", "bind", ""},
    {"--name", Takes::one_value, "NAME", "name", ""},
    {"-i,--interactive", Takes::nothing, "", "", ""},
    {"-t,--tty", Takes::nothing, "", "", ""},
    {"--entrypoint", Takes::one_value, "TEXT", "", ""},
}};

Result<Arguments> parse(Order order, std::vector<std::string> words) { return parse_arguments(k_table, order, words); }

TEST(Options, EveryFormOfAValue) {
  auto got = parse(Order::options_first, {"-v=/a:/b", "-v", "/c", "--volume=/d", "--volume", "/e", "--name", "n"});
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->list("volume"), (std::vector<std::string>{"/a:/b", "/c", "/d", "/e"}));
  EXPECT_EQ(got->value("name"), "n");
}

TEST(Options, EmptyValueIsAValue) {
  auto got = parse(Order::options_first, {"--entrypoint=", "--name", "", "C"});
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->value("entrypoint"), "");
  EXPECT_EQ(got->value("name"), "");
  EXPECT_EQ(got->words, (std::vector<std::string>{"C"}));
}

TEST(Options, ValueMayLookLikeAnOption) {
  auto got = parse(Order::options_first, {"--name", "--x", "--entrypoint=-i", "--volume", "--"});
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->value("name"), "--x");
  EXPECT_EQ(got->value("entrypoint"), "-i");
  EXPECT_EQ(got->value("volume"), "--");
}

TEST(Options, FlagsBundle) {
  auto got = parse(Order::options_first, {"-it", "C", "-it"});
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_TRUE(got->has("interactive"));
  EXPECT_TRUE(got->has("tty"));
  EXPECT_EQ(got->words, (std::vector<std::string>{"C", "-it"}));
}

TEST(Options, EmptyWordsSurvive) {
  auto got = parse(Order::options_first, {"C", "sh", "", "-c", "--name=x", ""});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->words, (std::vector<std::string>{"C", "sh", "", "-c", "--name=x", ""}));
}

TEST(Options, MixedOrderAndTerminator) {
  auto got = parse(Order::mixed, {"a", "--name=x", "-", "--", "--name=y"});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->value("name"), "x");
  EXPECT_EQ(got->words, (std::vector<std::string>{"a", "-", "--name=y"}));
}

TEST(Options, LastValueWins) { EXPECT_EQ(parse(Order::mixed, {"--name=x", "--name=y"})->value("name"), "y"); }

TEST(Options, UnknownWordsAreNamed) {
  EXPECT_EQ(parse(Order::mixed, {"--foo=1"}).error().text, "syntax error at: --foo=1");
  EXPECT_EQ(parse(Order::mixed, {"--tty=1"}).error().text, "syntax error at: --tty=1");
  EXPECT_EQ(parse(Order::mixed, {"-z"}).error().text, "syntax error at: -z");
  EXPECT_EQ(parse(Order::mixed, {"-iz"}).error().text, "syntax error at: -z");
}

TEST(Options, MissingValue) {
  const std::string text = "syntax error at: --name (its value is missing: --name=NAME)";
  EXPECT_EQ(parse(Order::mixed, {"--name"}).error().text, text);
  EXPECT_EQ(parse(Order::mixed, {"--name", "--tty"}).error().text, text);
  EXPECT_EQ(parse(Order::mixed, {"--name", "-v=/a", "x"}).error().text, text);
  EXPECT_EQ(parse(Order::mixed, {"--name=--tty"})->value("name"), "--tty");
}

TEST(Options, MistypedOptionsGetASuggestion) {
  auto text = [](const std::string& word) { return parse(Order::mixed, {word}).error().text; };
  EXPECT_EQ(text("--nmae=x"), "syntax error at: --nmae=x (did you mean --name?)");
  EXPECT_EQ(text("--volumes=/a"), "syntax error at: --volumes=/a (did you mean --volume?)");
  EXPECT_EQ(text("--Entrypoint"), "syntax error at: --Entrypoint (did you mean --entrypoint?)");
  EXPECT_EQ(text("--interactiv"), "syntax error at: --interactiv (did you mean --interactive?)");
  EXPECT_EQ(text("--unrelated"), "syntax error at: --unrelated");
  EXPECT_EQ(text("--" + std::string(100000, 'x')), "syntax error at: --" + std::string(100000, 'x'));
}

}  // namespace
}  // namespace udk::cli
