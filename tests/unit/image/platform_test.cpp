#include "image/platform.hpp"

#include <gtest/gtest.h>

namespace udk::image {
namespace {

const Platform k_host{"linux", "amd64", "v3"};

TEST(Platform, Parses) {
  const std::pair<const char*, Platform> cases[] = {
      {"linux/amd64", {"linux", "amd64", ""}},
      {"linux/arm/v7", {"linux", "arm", "v7"}},
      {"Linux/X86_64", {"linux", "amd64", ""}},
      {"linux/aarch64", {"linux", "arm64", ""}},
      {"linux/arm64/v8", {"linux", "arm64", ""}},
      {"linux/armhf", {"linux", "arm", "v7"}},
      {"linux/armel", {"linux", "arm", "v6"}},
      {"linux/arm/7", {"linux", "arm", "v7"}},
      {"arm64", {"linux", "arm64", ""}},
      {"linux", {"linux", "amd64", "v3"}},
      {"i686", {"linux", "386", ""}},
      {"windows/amd64", {"windows", "amd64", ""}},
      {"linux/amd64/v1", {"linux", "amd64", ""}},
      {"armv7l", {"linux", "arm", "v7"}},
  };
  for (const auto& [text, expected] : cases) {
    auto platform = Platform::parse(text, k_host);
    ASSERT_TRUE(platform) << text;
    EXPECT_EQ(*platform, expected) << text << " gave " << platform->text();
  }
  for (const char* text : {"", "/", "linux/", "a/b/c/d", "linux//v7", "linux/a b", "linux/\x1b[0m"})
    EXPECT_EQ(Platform::parse(text, k_host).error().code, Code::usage) << text;
}

struct RankCase {
  Platform offered, wanted;
  std::optional<std::size_t> rank;
};

TEST(Platform, RanksVariants) {
  auto amd64 = [](const char* v) { return Platform{"linux", "amd64", v}; };
  auto arm = [](const char* v) { return Platform{"linux", "arm", v}; };
  const RankCase cases[] = {
      {amd64(""), amd64(""), 0},
      {amd64("v1"), amd64(""), 0},
      {amd64("v3"), amd64("v3"), 0},
      {amd64("v2"), amd64("v3"), 1},
      {amd64(""), amd64("v3"), 2},
      {amd64("v4"), amd64("v3"), std::nullopt},
      {amd64("v2"), amd64(""), std::nullopt},
      {arm("v7"), arm("v7"), 0},
      {arm(""), arm("v7"), 0},
      {arm("v6"), arm("v7"), 1},
      {arm("v5"), arm("v7"), 2},
      {arm("v7"), arm("v6"), std::nullopt},
      {arm("v7"), arm(""), 0},
      {arm("v6"), arm(""), 1},
      {arm("v8"), arm("v7"), std::nullopt},
      {arm("v7"), arm("v8"), 1},
      {{"linux", "arm64", "v8"}, {"linux", "arm64", ""}, 0},
      {{"linux", "arm64", ""}, {"linux", "arm64", "v8"}, 0},
      {{"linux", "arm64", ""}, amd64(""), std::nullopt},
      {{"windows", "amd64", ""}, amd64(""), std::nullopt},
      {{"linux", "", ""}, amd64(""), 16},
      {{"Linux", "x86_64", ""}, amd64(""), 0},
      {{"linux", "ppc64le", "power9"}, {"linux", "ppc64le", ""}, 2},
      {{"linux", "ppc64le", ""}, {"linux", "ppc64le", "power9"}, 1},
      {{"linux", "ppc64le", "power8"}, {"linux", "ppc64le", "power9"}, std::nullopt},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(platform_rank(c.offered, c.wanted), c.rank) << c.offered.text() << " for " << c.wanted.text();
  }
}

TEST(Platform, KnowsMachines) {
  EXPECT_EQ(platform_of_machine("x86_64").text(), "linux/amd64");
  EXPECT_EQ(platform_of_machine("i686").text(), "linux/386");
  EXPECT_EQ(platform_of_machine("aarch64").text(), "linux/arm64");
  EXPECT_EQ(platform_of_machine("armv7l").text(), "linux/arm/v7");
  EXPECT_EQ(platform_of_machine("armv6l").text(), "linux/arm/v6");
  EXPECT_EQ(platform_of_machine("ppc64le").text(), "linux/ppc64le");
  EXPECT_EQ(platform_of_machine("mips64", true).text(), "linux/mips64le");
  EXPECT_EQ(platform_of_machine("mips64", false).text(), "linux/mips64");
  EXPECT_EQ(platform_of_machine("loongarch64").text(), "linux/loong64");
  EXPECT_EQ(platform_of_machine("riscv64").text(), "linux/riscv64");
  EXPECT_EQ(platform_of_machine("s390x").text(), "linux/s390x");
}

TEST(Platform, HostIsLinux) {
  auto host = host_platform();
  EXPECT_EQ(host.os, "linux");
  EXPECT_FALSE(host.architecture.empty());
  EXPECT_EQ(platform_rank(Platform{"linux", host.architecture, ""}, host).has_value(), true);
}

TEST(Platform, HostWantsTheLowestLevelFirstAnd32BitsLast) {
  auto order = host_platforms();
  ASSERT_FALSE(order.empty());
  EXPECT_EQ(order.front(), host_platform());
  if (order.front().architecture == "amd64") {
    EXPECT_EQ(order.back(), (Platform{"linux", "386", ""}));
    order.pop_back();
  }
  for (std::size_t i = 1; i < order.size(); ++i)
    EXPECT_EQ(order[i], (Platform{"linux", "amd64", "v" + std::to_string(i + 1)}));
  EXPECT_TRUE(host_platform().architecture != "amd64" || host_platform().variant.empty());
}

}  // namespace
}  // namespace udk::image
