#include "cli/literal.hpp"

#include <gtest/gtest.h>

namespace udk::cli {
namespace {

TEST(LiteralTest, ReadsAndWritesWhatPythonDoes) {
  struct Case {
    const char *text, *repr;
  };
  const Case cases[] = {
      {"None", "None"},
      {" True ", "True"},
      {"False", "False"},
      {"-12", "-12"},
      {"'a'", "'a'"},
      {"\"it's\"", "\"it's\""},
      {R"('it\'s "x"')", R"('it\'s "x"')"},
      {R"('a\n\t\\\x41\q')", R"('a\n\t\\A\\q')"},
      {"'a' 'b'", "'ab'"},
      {"[]", "[]"},
      {"[1,'a' , None,]", "[1, 'a', None]"},
      {"()", "()"},
      {"('a')", "'a'"},
      {"('a',)", "('a',)"},
      {"('a', ['b'])", "('a', ['b'])"},
      {"{}", "{}"},
      {"{'k': ['v', 1], 'l': {'m': True},}", "{'k': ['v', 1], 'l': {'m': True}}"},
  };
  for (const auto& c : cases) {
    auto value = parse_literal(c.text);
    ASSERT_TRUE(value) << c.text << ": " << value.error().text;
    EXPECT_EQ(value->repr(), c.repr);
    EXPECT_EQ(parse_literal(value->repr()).value_or(Literal()).repr(), c.repr);
  }
}

TEST(LiteralTest, Refuses) {
  for (const char* text : {"", "abc", "'a", "'a\nb'", "[1", "[1 2]", "[,]", "{'a'}", "{'a':}", "1 2", "(1", "'\\",
                           "99999999999999999999", "[1]]", "nan", "1.5"})
    EXPECT_FALSE(parse_literal(text)) << text;
  EXPECT_FALSE(parse_literal(std::string(10000, '[')));
}

TEST(LiteralTest, Words) {
  EXPECT_EQ(parse_literal("('a','b')")->words().value_or(std::vector<std::string>()).size(), 2U);
  EXPECT_FALSE(parse_literal("['a', 1]")->words());
  EXPECT_FALSE(parse_literal("'a'")->words());
}

}  // namespace
}  // namespace udk::cli
