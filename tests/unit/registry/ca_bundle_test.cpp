#include "registry/ca_bundle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/file.hpp"
#include "unit/temp_dir.hpp"

namespace udk::registry {
namespace {

using Environment = std::map<std::string, std::string>;

Result<CaBundle> find(const std::string& option, const Environment& environment) {
  return find_ca_bundle(option, [&](const char* name) {
    auto it = environment.find(name);
    return it == environment.end() ? "" : it->second;
  });
}

TEST(CaBundle, OptionThenEnvironment) {
  test::TempDir dir;
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(write_file_atomic(dir / name, "x"));
  Environment all{{"CURL_CA_BUNDLE", dir / "a"}, {"SSL_CERT_FILE", dir / "b"}, {"SSL_CERT_DIR", dir.path()}};
  EXPECT_EQ(find(dir / "c", all)->file, dir / "c");
  EXPECT_EQ(find("", all)->file, dir / "a");
  EXPECT_EQ(find("", {{"SSL_CERT_FILE", dir / "b"}})->file, dir / "b");
  auto directory = find("", {{"SSL_CERT_DIR", dir.path()}});
  EXPECT_EQ(directory->directory, dir.path());
  EXPECT_EQ(directory->file, "");
}

TEST(CaBundle, DanglingNamesAreErrorsThatNameTheirSource) {
  test::TempDir dir;
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
    auto result = find("", {{name, dir / "absent"}});
    ASSERT_FALSE(result) << name;
    EXPECT_THAT(result.error().text, testing::HasSubstr(name));
    EXPECT_THAT(result.error().text, testing::HasSubstr("absent"));
  }
  EXPECT_FALSE(find(dir / "absent", {}));
  EXPECT_FALSE(find(dir.path(), {})) << "a directory is no file";
}

}  // namespace
}  // namespace udk::registry
