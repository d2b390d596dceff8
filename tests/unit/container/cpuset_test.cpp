#include "container/cpuset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace udk::container {
namespace {

TEST(CpuList, Parses) {
  const std::vector<unsigned> all{0, 1, 2, 3, 7};
  EXPECT_THAT(*parse_cpu_list("0-2,7", all), testing::ElementsAre(0, 1, 2, 7));
  EXPECT_THAT(*parse_cpu_list("3,1,1-2", all), testing::ElementsAre(1, 2, 3));
  EXPECT_THAT(*parse_cpu_list(" 0 , 7 ", all), testing::ElementsAre(0, 7));
  EXPECT_THAT(*parse_cpu_list("5", {}), testing::ElementsAre(5));
}

TEST(CpuList, Refuses) {
  for (const char* text : {"", "a", "1-", "-1", "3-1", "1,,2", "1-2-3", "0x1", "99999999999999999999", "999999"}) {
    EXPECT_EQ(parse_cpu_list(text, {}).error().code, Code::usage) << text;
  }
  auto missing = parse_cpu_list("0-8", {0, 1, 2, 3, 7});
  EXPECT_NE(missing.error().text.find("processor 4 is not available; this process may use 0-3,7"), std::string::npos)
      << missing.error().text;
}

}  // namespace
}  // namespace udk::container
