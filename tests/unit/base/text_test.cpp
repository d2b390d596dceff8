#include "base/text.hpp"

#include <gtest/gtest.h>

namespace udk {
namespace {

TEST(Text, SplitKeepsEmptyParts) { EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"})); }
TEST(Text, SplitBlankDropsBlanks) { EXPECT_EQ(split_blank("  a \t b\n"), (std::vector<std::string_view>{"a", "b"})); }
TEST(Text, ParseUintIsStrict) {
  EXPECT_EQ(parse_uint("42"), 42U);
  for (const char* bad : {"", "-1", "+1", "1x", " 1", "99999999999999999999999"}) EXPECT_FALSE(parse_uint(bad)) << bad;
}
TEST(Text, Base64RoundTrip) {
  for (const char* text : {"", "a", "ab", "abc", "user:pass\xff"}) EXPECT_EQ(base64_decode(base64_encode(text)), text);
  EXPECT_FALSE(base64_decode("a*b="));
  EXPECT_FALSE(base64_decode("abcde"));
}
TEST(Text, PrintableShowsControls) {
  EXPECT_EQ(printable("a\x1b[31m\n"), "a\\x1b[31m\\x0a");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m \xc3\x9b \xc2\xa0 \xc2"),
            "\\xc2\\x9b31m \xc3\x9b \xc2\xa0 \xc2");
}

TEST(Text, PrintableJsonStaysJson) {
  EXPECT_EQ(printable_json("{\n\t\"\xc2\x9b\x7f\xc3\x9b\"}"), "{\n\t\"\\u009b\\u007f\xc3\x9b\"}");
}

}  // namespace
}  // namespace udk
