#include "store/python_json.hpp"

#include <gtest/gtest.h>

namespace udk::store {
namespace {

TEST(PythonJson, SeparatorsAndOrder) {
  EXPECT_EQ(*python_json_line("{\"b\":1,\n \"a\":[true,null, {}],\"c\":[]}"),
            R"({"b": 1, "a": [true, null, {}], "c": []})");
}
// The expected texts are what json.dumps(json.loads(...)) of Python 3 gives.
TEST(PythonJson, Escapes) {
  EXPECT_EQ(*python_json_line("[\"\xc3\xa9 \xf0\x9f\x98\x80 \x7f \\u001f\\/ \\\" \\\\ \\n\\t\\r\\b\\f \\u20ac <>&'\"]"),
            "[\"\\u00e9 \\ud83d\\ude00 \\u007f \\u001f/ \\\" \\\\ \\n\\t\\r\\b\\f \\u20ac <>&'\"]");
}
TEST(PythonJson, Numbers) {
  EXPECT_EQ(*python_json_line("[1, -0, 18446744073709551616, -12345678901234567890123]"),
            "[1, 0, 18446744073709551616, -12345678901234567890123]");
  EXPECT_EQ(*python_json_line("[1.0, 1e30, 1E16, 1e15, 1.5e-7, 0.0001, -0.0, 123456.789, 5e-324, 1e22]"),
            "[1.0, 1e+30, 1e+16, 1000000000000000.0, 1.5e-07, 0.0001, -0.0, 123456.789, 5e-324, 1e+22]");
}
TEST(PythonJson, OfEqualKeysTheLastValueAtTheFirstPlace) {
  EXPECT_EQ(*python_json_line(R"({"a":1,"b":2,"a":3})"), R"({"a": 3, "b": 2})");
}
TEST(PythonJson, Pretty) {
  EXPECT_EQ(*python_json_pretty(R"({"b":{"x":[1,2],"e":[],"o":{}},"a":"t"})"),
            "{\n    \"a\": \"t\",\n    \"b\": {\n        \"e\": [],\n        \"o\": {},\n        \"x\": [\n"
            "            1,\n            2\n        ]\n    }\n}");
}
TEST(PythonJson, RefusesWhatIsNoJson) {
  EXPECT_EQ(python_json_line("{").error().code, Code::corrupt);
  EXPECT_EQ(python_json_line("\"\xff\"").error().code, Code::corrupt);
  EXPECT_EQ(python_json_line(std::string(5000, '[') + std::string(5000, ']')).error().code, Code::corrupt);
}

}  // namespace
}  // namespace udk::store
