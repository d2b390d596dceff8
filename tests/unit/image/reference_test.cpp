#include "image/reference.hpp"

#include <gtest/gtest.h>

namespace udk::image {
namespace {

const std::string k_hex(64, '1');
const std::string k_digest = "sha256:" + k_hex;

struct Good {
  std::string text, repository, tag, domain, remote;
};

TEST(Reference, Parses) {
  const Good cases[] = {
      {"busybox", "busybox", "latest", "", "library/busybox"},
      {"b", "b", "latest", "", "library/b"},
      {"busybox:1.36", "busybox", "1.36", "", "library/busybox"},
      {"library/busybox", "library/busybox", "latest", "", "library/busybox"},
      {"a/b:t", "a/b", "t", "", "a/b"},
      {"docker.io/busybox", "docker.io/busybox", "latest", "docker.io", "library/busybox"},
      {"docker.io/a/b", "docker.io/a/b", "latest", "docker.io", "a/b"},
      {"index.docker.io/x:1", "index.docker.io/x", "1", "index.docker.io", "library/x"},
      {"quay.io/x:1", "quay.io/x", "1", "quay.io", "x"},
      {"quay.io/a/b/c:1", "quay.io/a/b/c", "1", "quay.io", "a/b/c"},
      {"host:5000/a/b:t", "host:5000/a/b", "t", "host:5000", "a/b"},
      {"localhost/x", "localhost/x", "latest", "localhost", "x"},
      {"localhost:5000/x:y", "localhost:5000/x", "y", "localhost:5000", "x"},
      {"127.0.0.1:5000/x", "127.0.0.1:5000/x", "latest", "127.0.0.1:5000", "x"},
      {"[::1]:5000/x", "[::1]:5000/x", "latest", "[::1]:5000", "x"},
      {"name@" + k_digest, "name", k_digest, "", "library/name"},
      {"a/b@" + k_digest, "a/b", k_digest, "", "a/b"},
      {"a/b:t@" + k_digest, "a/b", k_digest, "", "a/b"},
      {"host:5000/a:t@" + k_digest, "host:5000/a", k_digest, "host:5000", "a"},
      // As the Python tool lists and addresses an image that was pulled by digest.
      {"name:" + k_digest, "name", k_digest, "", "library/name"},
      {"host:5000/a:" + k_digest, "host:5000/a", k_digest, "host:5000", "a"},
      // Local names of the Python tool that no registry knows.
      {"IMPORTED:unknown", "IMPORTED", "unknown", "", "library/IMPORTED"},
      {"My_Image:v1.0-RC", "My_Image", "v1.0-RC", "", "library/My_Image"},
      {"foo.bar", "foo.bar", "latest", "", "library/foo.bar"},
      {"sha256:abc", "sha256", "abc", "", "library/sha256"},
  };
  for (const auto& c : cases) {
    auto reference = Reference::parse(c.text);
    ASSERT_TRUE(reference) << c.text << ": " << reference.error().text;
    EXPECT_EQ(reference->repository(), c.repository) << c.text;
    EXPECT_EQ(reference->tag(), c.tag) << c.text;
    EXPECT_EQ(reference->domain(), c.domain) << c.text;
    EXPECT_EQ(reference->remote_repository(), c.remote) << c.text;
    EXPECT_EQ(reference->name(), c.repository + ":" + c.tag) << c.text;
  }
}

TEST(Reference, KeepsTagBesideDigest) {
  auto reference = Reference::parse("a:t@" + k_digest);
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->typed_tag(), "t");
  EXPECT_EQ(reference->digest()->text(), k_digest);
}

TEST(Reference, RefusesWithOneLine) {
  const std::string cases[] = {"",
                               ":",
                               "@",
                               "/",
                               ":tag",
                               "@" + k_digest,
                               "/a",
                               "a/",
                               "a//b",
                               "..",
                               ".",
                               "../a",
                               "a/..",
                               "a/../b",
                               "a/./b",
                               "/etc/passwd",
                               "a:",
                               "a:b:c",
                               "a:..",
                               "a:.",
                               "a:t/x",
                               "a@",
                               "a@sha256:12",
                               "a@md5:" + std::string(32, '0'),
                               "a@" + k_digest + "@" + k_digest,
                               "a b",
                               "a\nb",
                               "a:b c",
                               "a\x01",
                               "host:99999/a",
                               "host:/a",
                               "host:x/a",
                               "-a.b/c",
                               "a..b/c",
                               "[::1/x",
                               "[zz]/x",
                               "[]:5000/x",
                               "https://host/a/b",
                               "caf\xc3\xa9",
                               "a?b",
                               "a%2fb",
                               std::string(256, 'a'),
                               "a:" + std::string(129, 'a'),
                               std::string("a\0b", 3),
                               "~/x",
                               "a\\b",
                               "host:5000/",
                               "sha256:" + k_hex + ":" + k_digest + "/../x"};
  for (const auto& text : cases) {
    auto reference = Reference::parse(text);
    ASSERT_FALSE(reference) << text;
    EXPECT_EQ(reference.error().code, Code::usage) << text;
    EXPECT_EQ(reference.error().text.find('\n'), std::string::npos) << text;
  }
}

TEST(Reference, LimitsAreInclusive) {
  EXPECT_TRUE(Reference::parse(std::string(255, 'a') + ":" + std::string(128, 't')));
}

TEST(Reference, KnowsWhatARegistryCanHave) {
  for (const char* text : {"a", "a-b", "a--b", "a__b", "a.b", "a_b/c-d", "host:1/a", "a:_x"})
    EXPECT_TRUE(Reference::parse(text)->check_remote()) << text;
  for (const char* text : {"A", "a-", "-a", "a..b", "a___b", "a._b", "_a", "x/.a", "a:-x", "a:.x", "Foo/bar"}) {
    auto reference = Reference::parse(text);
    ASSERT_TRUE(reference) << text;
    EXPECT_EQ(reference->check_remote().error().code, Code::usage) << text;
  }
}

}  // namespace
}  // namespace udk::image
