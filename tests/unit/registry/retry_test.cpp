#include "registry/retry.hpp"

#include <gtest/gtest.h>

namespace udk::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Retry, TransientStatuses) {
  for (long status : {408L, 425L, 429L, 500L, 502L, 503L, 504L}) EXPECT_TRUE(is_transient_status(status)) << status;
  for (long status : {200L, 206L, 301L, 400L, 401L, 403L, 404L, 416L, 501L, 505L})
    EXPECT_FALSE(is_transient_status(status)) << status;
}

TEST(Retry, RetryAfter) {
  EXPECT_EQ(parse_retry_after("0", 0), seconds(0));
  EXPECT_EQ(parse_retry_after(" 17 ", 0), seconds(17));
  // 784111777 is the date of RFC 9110's examples.
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111777 - 30), seconds(30));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111777 + 30), seconds(0));
  EXPECT_EQ(parse_retry_after("18446744073709551615", 0), seconds(366 * 24 * 3600));
  for (const char* text : {"", "-1", "1.5", "soon", "99999999999999999999999"})
    EXPECT_EQ(parse_retry_after(text, 0), std::nullopt) << text;
}

TEST(Retry, BackoffDoublesUpToItsLimit) {
  Backoff backoff(milliseconds(100), milliseconds(1000));
  for (int i = 0; i < 50; ++i) {
    EXPECT_GE(backoff.delay(1), milliseconds(50));
    EXPECT_LE(backoff.delay(1), milliseconds(100));
    EXPECT_GE(backoff.delay(3), milliseconds(200));
    EXPECT_LE(backoff.delay(3), milliseconds(400));
    EXPECT_GE(backoff.delay(4000000000U), milliseconds(500));
    EXPECT_LE(backoff.delay(4000000000U), milliseconds(1000));
  }
}

}  // namespace
}  // namespace udk::registry
