#include "engine/ptrace/plain_names.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace udk::engine {
namespace {

TEST(PlainNames, KnowsWhatWasNoted) {
  const auto names = std::make_unique<PlainNames>();
  EXPECT_FALSE(names->knows("/a"));
  EXPECT_FALSE(names->knows(""));
  names->note("/a");
  names->note("/a/b");
  EXPECT_TRUE(names->knows("/a"));
  EXPECT_TRUE(names->knows("/a/b"));
  EXPECT_FALSE(names->knows("/a/"));
  EXPECT_FALSE(names->knows("/b"));
}

TEST(PlainNames, ForgetsOneNameOrAll) {
  const auto names = std::make_unique<PlainNames>();
  names->note("/a");
  names->note("/b");
  names->forget("/a/");
  EXPECT_FALSE(names->knows("/a"));
  EXPECT_TRUE(names->knows("/b"));
  names->forget_all();
  EXPECT_FALSE(names->knows("/b"));
  names->note("/b");
  EXPECT_TRUE(names->knows("/b"));
}

TEST(PlainNames, NamesOfAnyLength) {
  const auto names = std::make_unique<PlainNames>();
  for (std::size_t size = 1; size < 600; ++size) {
    const std::string name(size, 'x');
    names->note(name);
    EXPECT_EQ(names->knows(name), size <= 244) << size;
    EXPECT_FALSE(names->knows(name + "y")) << size;
  }
}

TEST(PlainNames, ManyNamesPushEachOtherOut) {
  const auto names = std::make_unique<PlainNames>();
  int known = 0;
  for (int i = 0; i < 10000; ++i) names->note("/directory/" + std::to_string(i));
  for (int i = 0; i < 10000; ++i) known += names->knows("/directory/" + std::to_string(i)) ? 1 : 0;
  EXPECT_GT(known, 500);
  EXPECT_LE(known, 1024);
}

}  // namespace
}  // namespace udk::engine
