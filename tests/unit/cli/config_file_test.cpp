#include "cli/config_file.hpp"

#include <gtest/gtest.h>

namespace udk::cli {
namespace {

std::string parse(const std::string& text) {
  auto file = parse_config_file(text, "F");
  if (!file) return "error: " + file.error().text;
  std::string out;
  for (const auto& line : file->settings) out += std::to_string(line.line) + " " + line.key + "=" + line.value + "|";
  for (const auto& warning : file->warnings) out += "warning " + warning + "|";
  return out;
}

TEST(ConfigFileTest, Parse) {
  EXPECT_EQ(parse(""), "");
  EXPECT_EQ(parse("a = 1\nB: 2\n"), "1 a=1|2 b=2|");
  EXPECT_EQ(parse("\xEF\xBB\xBF# c\n; c\n[DEFAULT]\r\na=x = y\r\n"), "4 a=x = y|");
  EXPECT_EQ(parse("a = 1\n  2\n\n\t# c\n  3\nb="), "1 a=1\n2\n3|6 b=|");
  EXPECT_EQ(parse("  a = 1\n  b = 2\n"), "1 a=1|2 b=2|");
  EXPECT_EQ(parse("a=1\nb=2\na=3"), "2 b=2|3 a=3|");
  EXPECT_EQ(parse("a=1\n[other]\nb=2\n  3\n[DEFAULT]\nc=3"),
            "1 a=1|6 c=3|warning F line 2: section [other] is not used, only [DEFAULT] is|");
  EXPECT_EQ(parse("a=1\nnonsense"), "error: F line 2: 'nonsense' is no line of the form key = value");
  EXPECT_EQ(parse("= 1"), "error: F line 1: '= 1' is no line of the form key = value");
}

std::string expand(const std::string& text) {
  auto file = parse_config_file(text, "F");
  auto done = expand_references(*file, "F", [](const std::string& key) {
    return key == "topdir" ? std::optional<std::string>("/top") : std::nullopt;
  });
  if (!done) return "error: " + done.error().text;
  std::string out;
  for (const auto& line : file->settings) out += line.key + "=" + line.value + "|";
  return out;
}

TEST(ConfigFileTest, References) {
  EXPECT_EQ(expand("topdir = %(topdir)s/"), "topdir=/top/|");
  EXPECT_EQ(expand("a = %(b)s/x\nb = %(topdir)s/y"), "a=/top/y/x|b=/top/y|");
  EXPECT_EQ(expand("a = 100%% %s %40 %"), "a=100% %s %40 %|");
  EXPECT_EQ(expand("a = %%(topdir)s"), "a=%(topdir)s|");
  EXPECT_EQ(expand("a = %(b)s\nb = %(a)s"), "error: F line 2: b: refers to the unknown key %(a)s");
  EXPECT_EQ(expand("a = %(zz)s"), "error: F line 1: a: refers to the unknown key %(zz)s");
  std::string bomb = "k0 = x\n";
  for (int i = 1; i < 40; ++i) {
    auto below = "%(k" + std::to_string(i - 1) + ")s";
    bomb += "k" + std::to_string(i) + " = " + below + below + "\n";
  }
  EXPECT_NE(expand(bomb).find("too many"), std::string::npos);
}

}  // namespace
}  // namespace udk::cli
