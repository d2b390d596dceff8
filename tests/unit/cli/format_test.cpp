#include "cli/format.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace udk::cli {
namespace {

const nlohmann::ordered_json k_row = {
    {"ID", "x1"}, {"Names", {"a", "b"}}, {"Size", 7}, {"None", nullptr}, {"Inner", {{"Deep", true}}}};

std::string shown(std::string_view text) {
  const auto format = Format::parse(text);
  if (!format) return "parse: " + format.error().text;
  const auto line = format->line(k_row);
  return line ? *line : "line: " + line.error().text;
}

TEST(Format, Json) {
  EXPECT_EQ(shown("json"),
            "{\"ID\":\"x1\",\"Names\":[\"a\",\"b\"],\"Size\":7,\"None\":null,\"Inner\":{\"Deep\":true}}\n");
  EXPECT_EQ(shown("{{json .Names}}"), "[\"a\",\"b\"]\n");
  EXPECT_EQ(shown("{{json .ID}}"), "\"x1\"\n");
}

TEST(Format, Template) {
  EXPECT_EQ(shown("{{.ID}}"), "x1\n");
  EXPECT_EQ(shown("a{{ .ID }}b{{.Size}}c"), "ax1b7c\n");
  EXPECT_EQ(shown("{{.Names}} {{.None}} {{.Inner.Deep}}"), "[a b] <no value> true\n");
  EXPECT_EQ(shown("{{.ID}}\\t{{.Size}}\\n\\x"), "x1\t7\n\\x\n");
  EXPECT_EQ(shown("plain"), "plain\n");
  EXPECT_EQ(shown(""), "\n");
}

TEST(Format, Mistakes) {
  EXPECT_EQ(shown("{{.id}}"), "line: --format: no field id, there are ID, Names, Size, None, Inner");
  EXPECT_EQ(shown("{{.ID.x}}"), "line: --format: no field ID.x, it has no fields");
  for (const char* text : {"{{.ID", "{{ID}}", "{{}}", "{{json}}", "{{json ID}}", "{{range .Names}}", "{{.ID | x}}"})
    EXPECT_EQ(shown(text).substr(0, 7), "parse: ") << text;
}

TEST(Format, NamesThatAreNoText) {
  const auto format = Format::parse("{{.N}} {{json .N}}");
  ASSERT_TRUE(format);
  EXPECT_EQ(format->line({{"N", "a\x1b\xff"}}).value_or(""), "a\\x1b\xff \"a\\u001b\xef\xbf\xbd\"\n");
}

}  // namespace
}  // namespace udk::cli
