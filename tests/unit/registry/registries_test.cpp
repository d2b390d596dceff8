#include "registry/registries.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace udk::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Registries conf(std::initializer_list<const char*> files) {
  Registries out;
  for (const char* text : files) {
    auto added = out.add(text, "F");
    EXPECT_TRUE(added) << added.error().text;
  }
  return out;
}

std::string prefix_of(const Registries& registries, const std::string& name) {
  const auto* rule = registries.find(name);
  return rule ? rule->prefix : "";
}

// "URL REPOSITORY" of each source, with ! for insecure ones; or the error.
std::vector<std::string> sources(const Registries& registries, const char* name, const EndpointRules& own = {}) {
  auto found = sources_of(*image::Reference::parse(name), own, registries);
  if (!found) return {found.error().text};
  std::vector<std::string> out;
  for (const auto& source : *found)
    out.push_back(source.registry_url + (source.repository.empty() ? "" : " " + source.repository) +
                  (source.insecure ? "!" : ""));
  return out;
}

const std::string k_digest = "@sha256:" + std::string(64, 'a');

TEST(Registries, LongestPrefixWins) {
  const auto all = conf({R"(
    registry = [
      {location = "h.example"}, {location = "H.example:5000/"}, {location = "h.example/a"}, {location = "h.example/a/b"},
      {prefix = "h.example/a/b:t", location = "x.example/y"}, {prefix = "*.example"}, {prefix = "*.h.example"}])"});
  EXPECT_EQ(prefix_of(all, "h.example/x:t"), "h.example");
  EXPECT_EQ(prefix_of(all, "h.example:5000/x:t"), "h.example:5000");
  EXPECT_EQ(prefix_of(all, "h.example:5001/x:t"), "*.example");
  EXPECT_EQ(prefix_of(all, "h.example/a:t"), "h.example/a");
  EXPECT_EQ(prefix_of(all, "h.example/ab:t"), "h.example");
  EXPECT_EQ(prefix_of(all, "h.example/a/b/c:t"), "h.example/a/b");
  EXPECT_EQ(prefix_of(all, "h.example/a/b:t"), "h.example/a/b:t");
  EXPECT_EQ(prefix_of(all, "h.example/a/b:tt"), "h.example/a/b");
  EXPECT_EQ(prefix_of(all, "h.example/a/b" + k_digest), "h.example/a/b");
  EXPECT_EQ(prefix_of(all, "s.h.example/a"), "*.h.example");
  EXPECT_EQ(prefix_of(all, "r.s.h.example:1/a"), "*.h.example");
  EXPECT_EQ(prefix_of(all, "example/h.example"), "");
  EXPECT_EQ(prefix_of(all, "nexample/a"), "");
  EXPECT_EQ(prefix_of(conf({"[[registry]]\nprefix='*.b'\n[[registry]]\nlocation='a.b'"}), "a.b/x"), "a.b");
}

TEST(Registries, MirrorsThenLocation) {
  const auto all = conf({R"(
    [[registry]]
    prefix = "example.com/foo"
    location = "internal.example.net/bar"
    [[registry.mirror]]
    location = "mirror-0.local/mirror-for-foo"
    [[registry.mirror]]
    location = "mirror-1.local:5000/mirrors/foo/"
    insecure = true
    [[registry]]
    location = "docker.io"
    insecure = true
    [[registry.mirror]]
    location = "mirror.local"
    [[registry]]
    prefix = "*.wild.example"
    location = "wild.local:5000"
    [[registry]]
    prefix = "hub.example"
    location = "docker.io/team"
  )"});
  EXPECT_THAT(sources(all, "example.com/foo/image:latest"),
              ElementsAre("mirror-0.local mirror-for-foo/image", "mirror-1.local:5000 mirrors/foo/image!",
                          "internal.example.net bar/image"));
  EXPECT_THAT(
      sources(all, "example.com/foo"),
      ElementsAre("mirror-0.local mirror-for-foo", "mirror-1.local:5000 mirrors/foo!", "internal.example.net bar"));
  EXPECT_THAT(sources(all, "example.com/food"), ElementsAre("example.com"));
  EXPECT_THAT(sources(all, "busybox"),
              ElementsAre("mirror.local library/busybox", std::string(k_docker_hub_registry) + "!"));
  EXPECT_THAT(sources(all, "index.docker.io/a/b"),
              ElementsAre("mirror.local a/b", std::string(k_docker_hub_registry) + "!"));
  EXPECT_THAT(sources(all, "a.wild.example:1/x"), ElementsAre("wild.local:5000 x"));
  EXPECT_THAT(sources(all, "hub.example/x"), ElementsAre(std::string(k_docker_hub_registry) + " team/x"));
}

TEST(Registries, MirrorsForTagsAndForDigests) {
  const auto some = conf({R"(
    [[registry]]
    location = "a.example"
    mirror = [{location = "d.local", pull-from-mirror = "digest-only"}, {location = "t.local", pull-from-mirror = "tag-only"},
              {location = "all.local", pull-from-mirror = "all"}, {location = "any.local"}]
    [[registry]]
    location = "b.example"
    mirror-by-digest-only = true
    mirror = [{location = "m.local"}])"});
  const auto digest = [](const std::string& name) { return name + k_digest; };
  EXPECT_THAT(sources(some, "a.example/x:t"), ElementsAre("t.local x", "all.local x", "any.local x", "a.example"));
  EXPECT_THAT(sources(some, digest("a.example/x").c_str()),
              ElementsAre("d.local x", "all.local x", "any.local x", "a.example"));
  EXPECT_THAT(sources(some, "b.example/x"), ElementsAre("b.example"));
  EXPECT_THAT(sources(some, digest("b.example/x").c_str()), ElementsAre("m.local x", "b.example"));
}

TEST(Registries, BlockedIsNotAskedFor) {
  const auto some = conf({"[[registry]]\nlocation='quay.io'\nblocked=true\n[[registry]]\nlocation='quay.io/good'"});
  EXPECT_THAT(sources(some, "quay.io/x"), ElementsAre("quay.io/x:latest is blocked: F says so of quay.io"));
  EXPECT_THAT(sources(some, "QUAY.io/x")[0], HasSubstr("is blocked"));
  EXPECT_THAT(sources(some, "quay.io/good/x"), ElementsAre("quay.io"));
}

TEST(Registries, OurOwnConfigurationGoesFirst) {
  const auto all =
      conf({R"(registry = [{location = "docker.io", blocked = true}, {location = "quay.io", blocked = true},
                            {location = "own.local:5000", insecure = true, blocked = true}])"});
  EndpointRules own;
  own.registry_option = "own.local:5000";
  EXPECT_THAT(sources(all, "busybox", own), ElementsAre("own.local:5000!"));
  EXPECT_THAT(sources(all, "docker.io/busybox", own)[0], HasSubstr("is blocked"));
  own = {};
  own.table["quay.io"] = {"https://q.local", ""};
  EXPECT_THAT(sources(all, "quay.io/x", own), ElementsAre("https://q.local"));
  own.hub.registry_url = own.table["docker.io"].registry_url = "https://hub.local";
  EXPECT_THAT(sources(all, "busybox", own), ElementsAre("https://hub.local"));
  EXPECT_TRUE(is_insecure("https://own.local:5000", all));
  EXPECT_FALSE(is_insecure("https://own.local", all));
}

TEST(Registries, LaterFilesReplaceByPrefix) {
  const auto all =
      conf({"[[registry]]\nlocation='a.b'\nblocked=true\n[[registry]]\nlocation='c.d'\nblocked=true",
            "unqualified-search-registries=['x.y']\n[aliases]\n'x'='y.z/x'\n[[registry]]\nlocation='a.b'", ""});
  EXPECT_FALSE(all.find("a.b/x")->blocked);
  EXPECT_TRUE(all.find("c.d/x")->blocked);
  EXPECT_THAT(sources(all, "x"), ElementsAre(k_docker_hub_registry));
}

TEST(Registries, Version1) {
  const auto all = conf({R"(
    [registries.search]
    registries = ['docker.io']
    [registries.insecure]
    registries = ['a.b', 'c.d:5000']
    [registries.block]
    registries = ['c.d:5000'])"});
  EXPECT_THAT(sources(all, "a.b/x"), ElementsAre("a.b!"));
  EXPECT_THAT(sources(all, "c.d:5000/x")[0], HasSubstr("is blocked"));
}

TEST(Registries, CommentsHoldAnything) {
  const auto all =
      conf({"\xef\xbb\xbf# Spiegel f\xc3\xbcr alle \xef\xbb\xbb\xff\n[[registry]] # \xe2\x82\xac\nlocation='a.b'"});
  EXPECT_EQ(prefix_of(all, "a.b/x"), "a.b");
}

TEST(Registries, MistakesAreNamed) {
  const auto fault = [](const std::string& text) {
    Registries registries;
    auto added = registries.add(text, "F");
    return added ? "no error" : added.error().text;
  };
  EXPECT_THAT(fault("\n[[registry]\n"), HasSubstr("F line 2: "));
  for (const char* text : {"[=", "[[=", "[", "[[", "[a.=", "[a.", "=", "a.=1", "x = {=}", "x = \"\\u12",
                           "\xef\xbb\xbf[", "\xef\xbb\xbb", "\xff"})
    EXPECT_THAT(fault(text), HasSubstr("F line 1: ")) << text;
  EXPECT_THAT(fault("[[registry]]\nlocation='https://a.b'"),
              HasSubstr("F: [[registry]] at line 1: location 'https://a.b' is a URL"));
  EXPECT_THAT(fault("[[registry]]\nlocation='word'"), HasSubstr("'word' is not HOST"));
  EXPECT_THAT(fault("[[registry]]\nlocation='a.b/x:t'"), HasSubstr("is not HOST"));
  EXPECT_THAT(fault("[[registry]]\nblocked=true"), HasSubstr("neither prefix nor location"));
  EXPECT_THAT(fault("[[registry]]\nprefix='a.b'"), HasSubstr("has no location"));
  EXPECT_THAT(fault("[[registry]]\nlocation='a.b'\nblocked='yes'"), HasSubstr("blocked is neither true nor false"));
  EXPECT_THAT(fault("[[registry]]\nlocation=1"), HasSubstr("location is not a text"));
  EXPECT_THAT(fault("[registry]\nlocation='a.b'"), HasSubstr("registry is not [[registry]]"));
  EXPECT_THAT(fault("registry=[1]"), HasSubstr("registry is not [[registry]]"));
  for (const char* prefix : {"a.*.b", "*.b/x", "*.b:1", "*", "**.b"})
    EXPECT_NE(fault("[[registry]]\nprefix='" + std::string(prefix) + "'"), "no error") << prefix;
  const std::string mirror = "[[registry]]\nlocation='a.b'\n[[registry.mirror]]\n";
  EXPECT_THAT(fault(mirror), HasSubstr("a mirror has no location"));
  EXPECT_THAT(fault(mirror + "location='m.b'\npull-from-mirror='never'"), HasSubstr("'never' is not"));
  EXPECT_THAT(
      fault(
          "[[registry]]\nlocation='a.b'\nmirror-by-digest-only=true\nmirror=[{location='m.b',pull-from-mirror='all'}]"),
      HasSubstr("exclude each other"));
  EXPECT_THAT(fault("[[registry]]\nlocation='a.b'\n[registries.block]\nregistries=[]"),
              HasSubstr("exclude each other"));
  EXPECT_THAT(fault("[registries.block]\nregistries='x'"), HasSubstr("registries.block"));
  EXPECT_THAT(fault("[registries.block]\nregistries=[1]"), HasSubstr("registries.block"));
  EXPECT_NE(fault("x = " + std::string(100000, '[')), "no error");
  EXPECT_THAT(sources(conf({"[[registry]]\nprefix='a.b/x'\nlocation='c.d'"}), "a.b/x"),
              ElementsAre(HasSubstr("names no repository")));
}

}  // namespace
}  // namespace udk::registry
