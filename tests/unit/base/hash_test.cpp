#include "base/hash.hpp"

#include <gtest/gtest.h>

namespace udk {
namespace {

// FIPS 180-2, appendix B.1 and C.1.
TEST(Hash, KnownAnswers) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Hasher hasher(HashKind::sha512);
  hasher.update("a");
  hasher.update("bc");
  EXPECT_EQ(
      hasher.hex(),
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e"
      "2a9ac94fa54ca49f");
}

}  // namespace
}  // namespace udk
