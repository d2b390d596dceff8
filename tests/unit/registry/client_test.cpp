#include "registry/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "unit/registry/fake_registry.hpp"

namespace udk::registry {
namespace {

using test::client;
using test::FakeContent;
using test::HttpReply;
using test::HttpRequest;
using test::k_amd64;
using test::LoopbackServer;
using test::name;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string k_index_type = "application/vnd.oci.image.index.v1+json";
const std::string k_manifest_type = "application/vnd.oci.image.manifest.v1+json";
const std::string k_amd64_json = R"({"os":"linux","architecture":"amd64"})";

std::string entry(const FakeContent& content, const std::string& digest, const std::string& type,
                  const std::string& platform) {
  return FakeContent::descriptor(type, digest, content.manifests.at("a/b:" + digest).second.size(),
                                 platform.empty() ? "" : ",\"platform\":" + platform);
}

std::string index_of(const std::string& entries) {
  return R"({"schemaVersion":2,"mediaType":")" + k_index_type + R"(","manifests":[)" + entries + "]}";
}

TEST(Client, ResolvesAndFetches) {
  FakeContent content;
  auto digest = content.add_image("a/b", "t", {"layer one", "layer two"});
  LoopbackServer server([&](const HttpRequest& request) { return content.handle(request); });
  auto c = client(server);
  auto resolved = c.resolve(name("a/b:t"), k_amd64);
  ASSERT_TRUE(resolved) << resolved.error().text;
  EXPECT_EQ(resolved->digest.text(), digest);
  EXPECT_EQ(image::Digest::of(resolved->manifest.raw), resolved->digest);
  EXPECT_FALSE(resolved->index_digest);
  EXPECT_EQ(resolved->repository, "a/b");
  ASSERT_EQ(resolved->manifest.layers.size(), 2U);
  test::MemorySink sink;
  ASSERT_TRUE(test::fetch_blob(c, resolved->repository, resolved->manifest.layers[1], sink));
  EXPECT_EQ(sink.data, "layer two");
  // No probe of /v2/: one request each.
  EXPECT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(server.requests()[0].header("user-agent"), "udocker");
  // One header: not every server joins several.
  for (const auto& type : {k_manifest_type, k_index_type})
    EXPECT_THAT(server.requests()[0].header("accept"), HasSubstr(type));
}

TEST(Client, FollowsNestedIndexes) {
  FakeContent content;
  auto manifest = content.add_image("a/b", "", {"x"});
  auto inner =
      content.add_manifest("a/b", "", k_index_type, index_of(entry(content, manifest, k_manifest_type, k_amd64_json)));
  auto middle = content.add_manifest("a/b", "", k_index_type, index_of(entry(content, inner, k_index_type, "")));
  auto outer = content.add_manifest("a/b", "t", k_index_type, index_of(entry(content, middle, k_index_type, "")));
  LoopbackServer server([&](const HttpRequest& request) { return content.handle(request); });
  auto resolved = client(server).resolve(name("a/b:t"), k_amd64);
  ASSERT_TRUE(resolved) << resolved.error().text;
  EXPECT_EQ(resolved->digest.text(), manifest);
  EXPECT_EQ(resolved->index_digest->text(), outer);
  EXPECT_EQ(client(server).fetch_manifest(name("a/b:t"))->digest.text(), outer);
}

TEST(Client, LooksIntoEachIndexWithoutPlatform) {
  FakeContent content;
  auto ours = content.add_image("a/b", "", {"x"});
  auto other = content.add_image("a/b", "", {"y"});
  const std::string arm = R"({"os":"linux","architecture":"arm64"})";
  auto first = content.add_manifest("a/b", "", k_index_type, index_of(entry(content, other, k_manifest_type, arm)));
  auto second =
      content.add_manifest("a/b", "", k_index_type, index_of(entry(content, ours, k_manifest_type, k_amd64_json)));
  auto inner = [&](const std::string& digest) { return entry(content, digest, k_index_type, ""); };
  content.add_manifest("a/b", "both", k_index_type, index_of(inner(first) + "," + inner(second)));
  content.add_manifest("a/b", "none", k_index_type, index_of(inner(first) + "," + inner(first)));
  std::string many;
  for (int i = 0; i < 100; ++i) many += inner(first) + ",";
  content.add_manifest("a/b", "many", k_index_type, index_of(many + inner(second)));
  content.add_manifest("a/b", "bare", k_index_type, index_of(entry(content, other, k_manifest_type, "")));
  LoopbackServer server([&](const HttpRequest& request) { return content.handle(request); });
  auto both = client(server).resolve(name("a/b:both"), k_amd64);
  ASSERT_TRUE(both) << both.error().text;
  EXPECT_EQ(both->digest.text(), ours);
  EXPECT_TRUE(both->platform_known);
  auto none = client(server).resolve(name("a/b:none"), k_amd64);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text, HasSubstr("no image for platform linux/amd64 (available: linux/arm64)"));
  auto lost = client(server).resolve(name("a/b:many"), k_amd64);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::unsupported);
  auto bare = client(server).resolve(name("a/b:bare"), k_amd64);
  ASSERT_TRUE(bare) << bare.error().text;
  EXPECT_FALSE(bare->platform_known);
}

TEST(Client, EndsInDeepIndexes) {
  FakeContent content;
  auto digest = content.add_image("a/b", "", {});
  auto type = k_manifest_type;
  for (int i = 0; i < 20; ++i) {
    digest = content.add_manifest("a/b", "t", k_index_type, index_of(entry(content, digest, type, "")));
    type = k_index_type;
  }
  LoopbackServer server([&](const HttpRequest& request) { return content.handle(request); });
  auto resolved = client(server).resolve(name("a/b:t"), k_amd64);
  ASSERT_FALSE(resolved);
  EXPECT_THAT(resolved.error().text, HasSubstr("nested too deeply"));
}

TEST(Client, NamesTheAvailablePlatforms) {
  FakeContent content;
  auto manifest = content.add_image("a/b", "", {});
  content.add_manifest("a/b", "t", k_index_type,
                       index_of(entry(content, manifest, k_manifest_type, R"({"os":"linux","architecture":"s390x"})")));
  LoopbackServer server([&](const HttpRequest& request) { return content.handle(request); });
  auto resolved = client(server).resolve(name("a/b:t"), k_amd64);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, Code::not_found);
  EXPECT_THAT(resolved.error().text,
              HasSubstr("image a/b:t: no image for platform linux/amd64 (available: linux/s390x)"));
}

TEST(Client, RefusesWhatTheIndexDidNotAnnounce) {
  FakeContent content;
  auto manifest = content.add_image("a/b", "", {});
  auto size = content.manifests["a/b:" + manifest].second.size();
  auto docker = "application/vnd.docker.distribution.manifest.v2+json";
  content.add_manifest("a/b", "size", k_index_type,
                       index_of(FakeContent::descriptor(k_manifest_type, manifest, size + 1)));
  content.add_manifest("a/b", "type", k_index_type, index_of(FakeContent::descriptor(docker, manifest, size)));
  LoopbackServer server([&](const HttpRequest& request) { return content.handle(request); });
  for (const char* text : {"a/b:size", "a/b:type"}) {
    auto resolved = client(server).resolve(name(text), k_amd64);
    ASSERT_FALSE(resolved) << text;
    EXPECT_EQ(resolved.error().code, Code::corrupt) << text;
  }
}

TEST(Client, VerifiesTheDigestOfManifests) {
  FakeContent content;
  auto digest = content.add_image("a/b", "t", {});
  std::string extra;
  bool keep_header = true;
  LoopbackServer server([&](const HttpRequest& request) {
    auto reply = content.handle(request);
    reply.body += extra;
    if (!keep_header) reply.headers.pop_back();
    return reply;
  });
  extra = " ";
  auto by_tag = client(server).resolve(name("a/b:t"), k_amd64);
  ASSERT_FALSE(by_tag) << "Docker-Content-Digest disagrees";
  EXPECT_EQ(by_tag.error().code, Code::corrupt);
  EXPECT_EQ(server.requests().size(), 2U) << "asked once more";
  keep_header = false;
  EXPECT_TRUE(client(server).resolve(name("a/b:t"), k_amd64));
  auto by_digest = client(server).resolve(name("a/b@" + digest), k_amd64);
  ASSERT_FALSE(by_digest);
  EXPECT_THAT(by_digest.error().text, HasSubstr(digest));
  extra = "";
  EXPECT_TRUE(client(server).resolve(name("a/b@" + digest), k_amd64));
}

TEST(Client, RefusesHugeManifests) {
  LoopbackServer server([&](const HttpRequest&) { return HttpReply{200, {}, std::string((4U << 20) + 1, ' '), {}}; });
  auto resolved = client(server).resolve(name("a/b:t"), k_amd64);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, Code::corrupt);
  EXPECT_THAT(resolved.error().text, HasSubstr("larger than"));
}

TEST(Client, AsksOnceForWhatIsNotThere) {
  FakeContent content;
  LoopbackServer server([&](const HttpRequest& request) { return content.handle(request); });
  auto resolved = client(server).resolve(name("a/b:t"), k_amd64);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, Code::not_found);
  EXPECT_THAT(resolved.error().text, HasSubstr("does not have the image a/b:t (manifest unknown)"));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(Client, ALoneNameMayStandInTheLibraryOrPlain) {
  FakeContent content;
  content.add_image("plain", "t", {});
  content.add_image("library/mirrored", "t", {});
  LoopbackServer server([&](const HttpRequest& request) { return content.handle(request); });
  EXPECT_EQ(client(server).resolve(name("plain:t"), k_amd64)->repository, "plain");
  EXPECT_EQ(client(server).resolve(name("mirrored:t"), k_amd64)->repository, "library/mirrored");
  EXPECT_EQ(client(server).resolve(name("none:t"), k_amd64).error().code, Code::not_found);
}

TEST(Client, RefusesNamesThatNoRegistryHas) {
  LoopbackServer server([&](const HttpRequest&) { return HttpReply{}; });
  EXPECT_EQ(client(server).resolve(name("Foo/bar"), k_amd64).error().code, Code::usage);
  EXPECT_TRUE(server.requests().empty());
}

TEST(Client, RetriesTransientAnswers) {
  FakeContent content;
  content.add_image("a/b", "t", {});
  int failures = 3;
  LoopbackServer server([&](const HttpRequest& request) {
    if (failures-- > 0) return HttpReply{failures == 1 ? 429 : 503, {{"Retry-After", "0"}}, "", {}};
    return content.handle(request);
  });
  EXPECT_TRUE(client(server).resolve(name("a/b:t"), k_amd64));
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST(Client, GivesUpAfterSomeTries) {
  LoopbackServer server([&](const HttpRequest&) {
    return HttpReply{429, {}, R"({"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]})", {}};
  });
  auto resolved = client(server).resolve(name("a/b:t"), k_amd64);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, Code::network);
  EXPECT_THAT(resolved.error().text, HasSubstr("(slow down)"));
  EXPECT_THAT(resolved.error().text, HasSubstr("udocker login"));
  EXPECT_EQ(server.requests().size(), 5U);
}

TEST(Client, DoesNotWaitForHours) {
  LoopbackServer server([&](const HttpRequest&) { return HttpReply{429, {{"Retry-After", "21600"}}, "", {}}; });
  auto resolved = client(server).resolve(name("a/b:t"), k_amd64);
  ASSERT_FALSE(resolved);
  EXPECT_THAT(resolved.error().text, HasSubstr("wait 21600 seconds"));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(Client, FollowsRedirects) {
  FakeContent content;
  content.add_image("a/b", "t", {});
  LoopbackServer elsewhere([&](const HttpRequest& request) { return content.handle(request); });
  LoopbackServer server([&](const HttpRequest& request) -> HttpReply {
    if (request.target == "/v2/a/b/manifests/t") return {301, {{"Location", "../moved/t"}}, "", {}};
    return {308, {{"Location", elsewhere.url() + "/v2/a/b/manifests/t"}}, "", {}};
  });
  EXPECT_TRUE(client(server).resolve(name("a/b:t"), k_amd64));
  EXPECT_EQ(server.requests()[1].target, "/v2/a/b/moved/t");
}

TEST(Client, EndsInRedirectLoops) {
  LoopbackServer server([&](const HttpRequest& request) -> HttpReply {
    return {302, {{"Location", request.target}}, "", {}};
  });
  auto resolved = client(server).resolve(name("a/b:t"), k_amd64);
  ASSERT_FALSE(resolved);
  EXPECT_THAT(resolved.error().text, HasSubstr("too many redirects"));
  EXPECT_LT(server.requests().size(), 20U);
}

TEST(Client, RefusesStrangeRedirects) {
  for (const char* location : {"file:///etc/passwd", "ftp://127.0.0.1/", "https://u:p@127.0.0.1/"}) {
    LoopbackServer server([&](const HttpRequest&) { return HttpReply{302, {{"Location", location}}, "", {}}; });
    auto resolved = client(server).resolve(name("a/b:t"), k_amd64);
    ASSERT_FALSE(resolved);
    EXPECT_THAT(resolved.error().text, HasSubstr("redirect of the image a/b:t")) << location;
  }
}

TEST(Client, WithoutSchemeFallsBackToHttpOnLoopback) {
  FakeContent content;
  content.add_image("a/b", "t", {"x"});
  LoopbackServer server([&](const HttpRequest& request) { return content.handle(request); });
  auto c = Client::create(test::quick_options(server.authority()));
  auto resolved = c->resolve(name("a/b:t"), k_amd64);
  ASSERT_TRUE(resolved) << resolved.error().text;
  test::MemorySink sink;
  EXPECT_TRUE(test::fetch_blob(*c, resolved->repository, resolved->manifest.layers[0], sink));
}

TEST(Client, DoesNotFallBackWhenHttpsIsSaid) {
  LoopbackServer server([&](const HttpRequest&) { return HttpReply{}; });
  auto c = Client::create(test::quick_options("https://" + server.authority()));
  auto resolved = c->resolve(name("a/b:t"), k_amd64);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, Code::network);
  EXPECT_THAT(resolved.error().text, HasSubstr("no TLS connection"));
  EXPECT_TRUE(server.requests().empty());
}

TEST(Client, SaysWhatIsUnreachable) {
  std::string authority;
  {
    authority = LoopbackServer([](const HttpRequest&) { return HttpReply{}; }).authority();
  }
  auto resolved = Client::create(test::quick_options("http://" + authority))->resolve(name("a/b:t"), k_amd64);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, Code::network);
  EXPECT_THAT(resolved.error().text, HasSubstr("cannot reach " + authority + " for the image a/b:t"));
}

TEST(Client, UsesTheProxy) {
  FakeContent content;
  content.add_image("a/b", "t", {});
  LoopbackServer proxy([&](const HttpRequest& request) {
    auto direct = request;
    direct.target = request.target.substr(std::string("http://registry.invalid").size());
    return content.handle(direct);
  });
  auto options = test::quick_options("http://registry.invalid");
  options.http_proxy = proxy.url();
  auto resolved = Client::create(options)->resolve(name("a/b:t"), k_amd64);
  ASSERT_TRUE(resolved) << resolved.error().text;
  EXPECT_EQ(proxy.count("http://registry.invalid/v2/a/b/manifests/t"), 1U);
}

TEST(Client, StopsWhenCancelled) {
  LoopbackServer server([&](const HttpRequest&) { return HttpReply{503, {}, "", {}}; });
  auto options = test::quick_options(server.url());
  options.first_delay = std::chrono::hours(1);
  options.longest_delay = std::chrono::hours(1);
  options.cancelled = [&] { return !server.requests().empty(); };
  auto resolved = Client::create(options)->resolve(name("a/b:t"), k_amd64);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().sys_errno, EINTR);
}

TEST(Client, RefusesUrlsThatAreNone) {
  for (const char* url : {"", "ftp://h", "https://", "https://u:p@h", "http://h:port"})
    EXPECT_EQ(Client::create(test::quick_options(url)).error().code, Code::usage) << url;
}

TEST(Client, ListsAllPagesOfTags) {
  LoopbackServer server([&](const HttpRequest& request) -> HttpReply {
    if (request.target.find("last=") == std::string::npos)
      return {200, {{"Link", R"(</v2/a/b/tags/list?last=two&n=2>; rel="next")"}}, R"({"tags":["one","two"]})", {}};
    return {200, {}, R"({"name":"a/b","tags":["three"]})", {}};
  });
  auto tags = client(server).list_tags(name("a/b"));
  ASSERT_TRUE(tags) << tags.error().text;
  EXPECT_THAT(*tags, ElementsAre("one", "two", "three"));
}

TEST(Client, DoesNotFollowTagsElsewhere) {
  LoopbackServer server([&](const HttpRequest&) -> HttpReply {
    return {200, {{"Link", R"(<http://127.0.0.2:1/>; rel="next")"}}, R"({"tags":null})", {}};
  });
  EXPECT_EQ(client(server).list_tags(name("a/b")).error().code, Code::corrupt);
}

}  // namespace
}  // namespace udk::registry
