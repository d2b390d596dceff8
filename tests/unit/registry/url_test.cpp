#include "registry/url.hpp"

#include <gtest/gtest.h>

namespace udk::registry {
namespace {

TEST(Url, Parses) {
  auto url = Url::parse("HTTPS://Host.Example:5000/pre/fix/");
  ASSERT_TRUE(url) << url.error().text;
  EXPECT_TRUE(url->is_https());
  EXPECT_EQ(url->host(), "host.example");
  EXPECT_EQ(url->origin(), "https://host.example:5000");
  EXPECT_EQ(url->authority(), "host.example:5000");
  EXPECT_EQ(url->path(), "/pre/fix/");
  EXPECT_EQ(Url::parse("http://h")->origin(), "http://h:80");
  EXPECT_EQ(Url::parse("https://h")->authority(), "h");
  EXPECT_EQ(Url::parse("https://h/x?sig=1#f")->text(), "https://h/x?sig=1");
  EXPECT_EQ(Url::parse("https://h/x?sig=1")->shown(), "https://h/x");
  EXPECT_EQ(Url::parse("https://h/x/?a")->base(), "https://h/x");
  EXPECT_EQ(Url::parse("http://[::1]:5000/")->host(), "[::1]");
}

TEST(Url, Refuses) {
  for (const char* text : {"", "h", "h:5000", "ftp://h/", "file:///etc/passwd", "https://", "https://user:pass@h/",
                           "https://user@h/", "https://h:99999/", "https://h\n/", "gopher://h", "https://h h/"})
    EXPECT_EQ(Url::parse(text).error().code, Code::usage) << text;
  EXPECT_EQ(Url::parse("https://user:topsecret@h/").error().text.find("topsecret"), std::string::npos);
}

TEST(Url, Loopback) {
  for (const char* host : {"localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.3.2.1", "[::1]", "::1"})
    EXPECT_TRUE(is_loopback_host(host)) << host;
  for (const char* host : {"", "localhost.example", "127.0.0.1.example", "128.0.0.1", "127.0.0", "127.0.0.256",
                           "127.0.0.x", "xlocalhost", ".localhost", "[::2]", "10.0.0.1"})
    EXPECT_FALSE(is_loopback_host(host)) << host;
  EXPECT_TRUE(Url::parse("http://127.0.0.1:5000/x")->is_loopback());
}

TEST(Url, Resolves) {
  auto base = *Url::parse("https://h:5000/v2/a/blobs/x?old=1");
  auto resolve = [&](const char* location) { return base.resolve(location)->text(); };
  EXPECT_EQ(resolve("/other?q=2"), "https://h:5000/other?q=2");
  EXPECT_EQ(resolve("y"), "https://h:5000/v2/a/blobs/y");
  EXPECT_EQ(resolve("../z"), "https://h:5000/v2/a/z");
  EXPECT_EQ(resolve("//cdn.example/z"), "https://cdn.example/z");
  EXPECT_EQ(resolve("http://cdn.example/z?sig=a%2Fb"), "http://cdn.example/z?sig=a%2Fb");
  EXPECT_FALSE(base.resolve("ftp://h/"));
  EXPECT_FALSE(base.resolve("https://user:pass@h/"));
  EXPECT_FALSE(base.resolve(std::string_view("a\0b", 3)));
}

TEST(Url, Queries) {
  auto url = Url::parse("https://h/token")->with_query("service", "a b/c").with_query("scope", "r:x:pull");
  EXPECT_EQ(url.text(), "https://h/token?service=a%20b%2Fc&scope=r%3Ax%3Apull");
  EXPECT_EQ(Url::parse("https://h/t?k=v")->with_query("a", "b").text(), "https://h/t?k=v&a=b");
  EXPECT_EQ(percent_encode("a-z_~.%&+\xff"), "a-z_~.%25%26%2B%FF");
}

}  // namespace
}  // namespace udk::registry
