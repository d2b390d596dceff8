#include "registry/auth_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"

namespace udk::registry {
namespace {

using testing::HasSubstr;
using Form = AuthFile::Form;

std::string auth(const std::string& text) { return R"({"auth":")" + base64_encode(text) + R"("})"; }

AuthFile file(const std::string& text, Form form = Form::config) {
  auto parsed = AuthFile::parse(text, form);
  EXPECT_TRUE(parsed) << parsed.error().text;
  return parsed ? std::move(*parsed) : AuthFile();
}

// USER:PASSWORD, "none", or the text of the error.
std::string found(const AuthFile& file, const std::string& url, const std::string& repository = "a/b") {
  auto result = file.lookup(auth_host(url), repository);
  if (!result) return result.error().text;
  return *result ? (*result)->user + ":" + (*result)->password.reveal() : "none";
}

TEST(AuthFile, Hosts) {
  EXPECT_EQ(auth_host("https://Quay.io"), "quay.io");
  EXPECT_EQ(auth_host("http://h:5000/prefix"), "h:5000");
  EXPECT_EQ(auth_host("[::1]:5000"), "[::1]:5000");
  for (const char* hub : {"https://registry-1.docker.io", "docker.io", "https://index.docker.io/v1/"})
    EXPECT_EQ(auth_host(hub), "docker.io");
}

TEST(AuthFile, KeysOfAllAges) {
  for (const char* key : {"quay.io", "https://quay.io", "http://quay.io/", "quay.io/v1/", "https://quay.io/v2/",
                          "QUAY.IO", "https://quay.io/some/path"})
    EXPECT_EQ(found(file(R"({"auths":{")" + std::string(key) + "\":" + auth("u:p") + "}}"), "https://quay.io"), "u:p")
        << key;
  for (const char* key : {"https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"})
    EXPECT_EQ(
        found(file(R"({"auths":{")" + std::string(key) + "\":" + auth("u:p") + "}}"), "https://registry-1.docker.io"),
        "u:p")
        << key;
  const auto other = file(R"({"auths":{"quay.io:444":)" + auth("u:p") + "}}");
  EXPECT_EQ(found(other, "https://quay.io"), "none");
  EXPECT_EQ(found(other, "https://quay.io:444"), "u:p");
  EXPECT_EQ(found(file("{\"quay.io\":" + auth("u:p") + "}", Form::legacy), "quay.io"), "u:p");
  EXPECT_EQ(found(file("{\"quay.io\":" + auth("u:p") + "}"), "quay.io"), "none");
}

TEST(AuthFile, LongestNamespaceWins) {
  const auto all = file(R"({"auths":{"h":)" + auth("u:host") + R"(,"h/a":)" + auth("u:a") + R"(,"h/a/b":)" +
                        auth("u:ab") + R"(,"h/a/b/c":{},"h/x":{}}})");
  EXPECT_EQ(found(all, "h", "a/b"), "u:ab");
  EXPECT_EQ(found(all, "h", "a/b/c"), "u:ab");
  EXPECT_EQ(found(all, "h", "a/bb"), "u:a");
  EXPECT_EQ(found(all, "h", "aa"), "u:host");
  EXPECT_EQ(found(all, "h", "x"), "u:host");
  EXPECT_EQ(found(all, "h", ""), "u:host");
  EXPECT_EQ(found(all, "hh", "a/b"), "none");
}

TEST(AuthFile, TheKeyAsAskedForGoesFirst) {
  EXPECT_EQ(found(file(R"({"auths":{"docker.io":)" + auth("u:short") + R"(,"https://index.docker.io/v1/":)" +
                       auth("u:url") + "}}"),
                  "docker.io"),
            "u:short");
  EXPECT_EQ(
      found(file(R"({"auths":{"docker.io":{},"https://index.docker.io/v1/":)" + auth("u:url") + "}}"), "docker.io"),
      "u:url");
  EXPECT_EQ(found(file(R"({"auths":{"http://h":{},"https://h":)" + auth("u:p") + "}}"), "h"), "u:p");
}

TEST(AuthFile, ContentOfEntries) {
  const auto one = [](const std::string& entry) { return file(R"({"auths":{"h":)" + entry + "}}"); };
  EXPECT_EQ(found(one(auth("u:p:q:")), "h"), "u:p:q:");
  EXPECT_EQ(found(one(auth("ü:pä\xe2\x82\xac")), "h"), "ü:pä\xe2\x82\xac");
  EXPECT_EQ(found(one(auth(std::string("u:p\0\0", 5))), "h"), "u:p");
  EXPECT_EQ(found(one(R"({"auth":"dTpw","email":"e","unknown":[1]})"), "h"), "u:p");
  EXPECT_EQ(found(one(R"({"username":"u","password":"p"})"), "h"), "u:p");
  for (const char* nothing : {"{}", "null", R"({"auth":""})", R"({"auth":null})", R"({"auth":"dTo="})"})
    EXPECT_EQ(found(one(nothing), "h"), "none") << nothing;
  const auto tokens = one(R"({"auth":"MDAwOg==","identitytoken":"it","registrytoken":"rt"})").lookup("h", "");
  ASSERT_TRUE(tokens && *tokens);
  EXPECT_EQ((*tokens)->identity_token.reveal(), "it");
  EXPECT_EQ((*tokens)->registry_token.reveal(), "rt");
}

TEST(AuthFile, FaultsNameNoSecret) {
  const std::string text = R"({"auths":{"good":)" + auth("u:p") + R"(,"a":{"auth":"SECRET*"},"b":)" + auth("SECRET") +
                           R"(,"c":{"registrytoken":"SECRET\r\nX: y"},"d":"SECRET","e":)" + auth(":SECRET") + "}}";
  for (const char* host : {"a", "b", "c", "d", "e"}) {
    EXPECT_THAT(found(file(text), host), HasSubstr("the entry for " + std::string(host) + " cannot be read"));
    EXPECT_THAT(found(file(text), host), testing::Not(HasSubstr("SECRET")));
  }
  EXPECT_EQ(found(file(text), "good"), "u:p");
  for (const char* bad :
       {"SECRET", "[]", "{\"auths\":", "{\"auths\":[]}", "{\"credHelpers\":\"SECRET\"}", "\"SECRET\""}) {
    auto parsed = AuthFile::parse(bad, Form::config);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, Code::corrupt);
    EXPECT_THAT(parsed.error().text, testing::Not(HasSubstr("SECRET")));
  }
  EXPECT_EQ(found(file(" \n"), "h"), "none");
  const std::string deep(500000, '[');
  EXPECT_FALSE(AuthFile::parse(R"({"auths":{"h":)" + deep, Form::config));
  EXPECT_TRUE(AuthFile::parse(R"({"auths":{"h":)" + deep + std::string(deep.size(), ']') + "}}", Form::config));
}

TEST(AuthFile, Helpers) {
  const auto some =
      file(R"({"credsStore":"desktop","credHelpers":{"https://index.docker.io/v1/":"pass","h:1":"x","n":1}})");
  EXPECT_EQ(some.store(), "desktop");
  EXPECT_EQ(some.helper_of("docker.io"), "pass");
  EXPECT_EQ(some.helper_of("h:1"), "x");
  EXPECT_EQ(some.helper_of("h"), "");
  EXPECT_EQ(file("{}").store(), "");
  EXPECT_EQ(file(R"({"credsStore":"x"})", Form::legacy).store(), "");
}

}  // namespace
}  // namespace udk::registry
