#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/text.hpp"
#include "registry/authorizer.hpp"
#include "registry/client.hpp"
#include "unit/registry/fake_registry.hpp"

namespace udk::registry {
namespace {

using test::FakeContent;
using test::HttpReply;
using test::HttpRequest;
using test::k_amd64;
using test::LoopbackServer;
using test::name;
using testing::HasSubstr;

CredentialsProvider user(const std::string& name, const std::string& password, const std::string& identity = "") {
  return [=](const std::string&) { return Credentials{name, Secret(password), Secret(identity)}; };
}

// A registry that wants "Bearer good", and a token server beside it on another port.
class BearerRegistry {
 public:
  explicit BearerRegistry(LoopbackServer::Handler tokens)
      : token_server_(std::move(tokens)), server_([this](const HttpRequest& request) { return answer(request); }) {
    content_.add_image("a/b", "t", {"one", "two", "three", "four", "five"});
  }

  HttpReply answer(const HttpRequest& request) {
    if (request.header("authorization") == wanted_) return content_.handle(request);
    auto challenge = "Bearer realm=\"" + token_server_.url() + "/token\",service=\"registry, x\"" + scope_;
    return {401, {{"WWW-Authenticate", challenge}}, R"({"errors":[{"code":"UNAUTHORIZED"}]})", {}};
  }

  Result<> pull(const CredentialsProvider& credentials) {
    auto options = test::quick_options(server_.url());
    options.credentials = credentials;
    auto client = Client::create(options);
    TRY_ASSIGN(auto resolved, client->resolve(name("a/b:t"), k_amd64));
    std::vector<test::MemorySink> sinks(resolved.manifest.layers.size());
    std::vector<BlobRequest> blobs;
    for (std::size_t i = 0; i < sinks.size(); ++i)
      blobs.push_back({resolved.manifest.layers[i], &sinks[i], [] { return Result<>{}; }, nullptr});
    return client->fetch_blobs(resolved.repository, blobs);
  }

  std::string wanted_ = "Bearer good", scope_ = ",scope=\"repository:a/b:pull\"";
  FakeContent content_;
  LoopbackServer token_server_, server_;
};

TEST(Auth, OneAnonymousTokenForAll) {
  BearerRegistry registry([](const HttpRequest&) { return HttpReply{200, {}, R"({"token":"good"})", {}}; });
  auto result = registry.pull(nullptr);
  ASSERT_TRUE(result) << result.error().text;
  ASSERT_EQ(registry.token_server_.requests().size(), 1U);
  auto asked = registry.token_server_.requests()[0];
  EXPECT_EQ(asked.method, "GET");
  EXPECT_EQ(asked.target, "/token?service=registry%2C%20x&scope=repository%3Aa%2Fb%3Apull");
  EXPECT_EQ(asked.header("authorization"), "");
  // One 401, the manifest, five layers.
  EXPECT_EQ(registry.server_.requests().size(), 7U);
}

TEST(Auth, PasswordGoesToTheTokenServerOnly) {
  BearerRegistry registry([](const HttpRequest& request) {
    bool good = request.header("authorization") == "Basic " + base64_encode("me:secret");
    return good ? HttpReply{200, {}, R"({"access_token":"good","expires_in":300})", {}} : HttpReply{401, {}, "", {}};
  });
  EXPECT_TRUE(registry.pull(user("me", "secret")));
  for (const auto& request : registry.server_.requests())
    EXPECT_THAT(request.header("authorization"), testing::AnyOf("", "Bearer good"));

  auto wrong = registry.pull(user("me", "wrong"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::unauthorized);
  EXPECT_THAT(wrong.error().text, HasSubstr("credentials were refused"));
  EXPECT_THAT(wrong.error().text, HasSubstr("udocker login --registry=" + registry.server_.url()));
  EXPECT_THAT(wrong.error().text, testing::Not(HasSubstr("wrong\"")));
  EXPECT_THAT(registry.pull(nullptr).error().text, HasSubstr("a login is needed"));
}

TEST(Auth, PostsThePasswordWhereGetIsUnknown) {
  BearerRegistry registry([](const HttpRequest& request) {
    if (request.method == "GET") return HttpReply{405, {}, "", {}};
    bool good = request.body.find("grant_type=password") == 0 &&
                request.body.find("&username=me") != std::string::npos &&
                request.body.find("&password=s%26c") != std::string::npos &&
                request.body.find("&scope=repository%3Aa%2Fb%3Apull") != std::string::npos &&
                request.header("content-type") == "application/x-www-form-urlencoded";
    return good ? HttpReply{200, {}, R"({"access_token":"good"})", {}} : HttpReply{401, {}, "", {}};
  });
  EXPECT_TRUE(registry.pull(user("me", "s&c")));
}

TEST(Auth, PostsIdentityTokens) {
  BearerRegistry registry([](const HttpRequest& request) {
    bool good = request.method == "POST" && request.body.find("grant_type=refresh_token&refresh_token=idt") == 0;
    return good ? HttpReply{200, {}, R"({"access_token":"good"})", {}} : HttpReply{401, {}, "", {}};
  });
  EXPECT_TRUE(registry.pull(user("me", "ignored", "idt")));
  EXPECT_TRUE(registry.pull(user("<token>", "idt")));
  EXPECT_FALSE(registry.pull(user("me", "idt")));
}

TEST(Auth, RegistryTokensAreUsedAsTheyAre) {
  BearerRegistry registry([](const HttpRequest&) { return HttpReply{500, {}, "", {}}; });
  const auto token = [](const std::string& text) {
    return [=](const std::string&) { return Credentials{"", Secret(), Secret(), Secret(text), "a file"}; };
  };
  EXPECT_TRUE(registry.pull(token("good")));
  auto result = registry.pull(token("bad one"));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().text, HasSubstr("the credentials from a file were refused"));
  EXPECT_TRUE(registry.token_server_.requests().empty());
}

TEST(Auth, RenewsATokenThatTheRegistryHasForgotten) {
  std::atomic<int> number = 0;
  BearerRegistry registry([&](const HttpRequest&) {
    return HttpReply{200, {}, R"({"token":"t)" + std::to_string(++number) + "\"}", {}};
  });
  registry.wanted_ = "Bearer t1";
  auto client = Client::create(test::quick_options(registry.server_.url()));
  auto resolved = client->resolve(name("a/b:t"), k_amd64);
  ASSERT_TRUE(resolved);
  registry.wanted_ = "Bearer t2";
  test::MemorySink sink;
  ASSERT_TRUE(test::fetch_blob(*client, "a/b", resolved->manifest.layers[0], sink));
  EXPECT_EQ(sink.data, "one");
  EXPECT_EQ(number, 2);
}

TEST(Auth, ScopeIsAddedWhereTheChallengeHasNone) {
  BearerRegistry registry([](const HttpRequest& request) {
    bool good = request.target.find("scope=repository%3Aa%2Fb%3Apull") != std::string::npos;
    return HttpReply{200, {}, good ? R"({"token":"good"})" : R"({"token":"bad"})", {}};
  });
  registry.scope_ = "";
  EXPECT_TRUE(registry.pull(nullptr));
}

TEST(Auth, EndsWhenTokensDoNotHelp) {
  BearerRegistry registry([](const HttpRequest&) { return HttpReply{200, {}, R"({"token":"useless"})", {}}; });
  auto result = registry.pull(nullptr);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::unauthorized);
  EXPECT_THAT(result.error().text, HasSubstr("image a/b:t"));
  EXPECT_LE(registry.token_server_.requests().size(), 3U);
}

TEST(Auth, AsksOnceIfTheScopeIsNotEnough) {
  BearerRegistry registry([](const HttpRequest&) { return HttpReply{200, {}, R"({"token":"useless"})", {}}; });
  registry.scope_ = ",error=\"insufficient_scope\"";
  auto result = registry.pull(nullptr);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().text, HasSubstr("does not have the image a/b:t or does not give access to it"));
  EXPECT_EQ(registry.token_server_.requests().size(), 1U);
  EXPECT_EQ(registry.server_.requests().size(), 2U);
}

TEST(Auth, RefusesBadTokenAnswers) {
  for (const char* body : {"", "{}", "<html>", R"({"token":"a\r\nb"})"}) {
    BearerRegistry registry([&](const HttpRequest&) { return HttpReply{200, {}, body, {}}; });
    EXPECT_EQ(registry.pull(nullptr).error().code, Code::corrupt) << body;
  }
  BearerRegistry broken([](const HttpRequest&) { return HttpReply{418, {}, "", {}}; });
  EXPECT_THAT(broken.pull(nullptr).error().text, HasSubstr("status 418"));
}

TEST(Auth, PasswordsDoNotFollowARedirectedPost) {
  LoopbackServer thief([](const HttpRequest&) { return HttpReply{200, {}, R"({"token":"good"})", {}}; });
  BearerRegistry registry([&](const HttpRequest&) { return HttpReply{307, {{"Location", thief.url()}}, "", {}}; });
  EXPECT_FALSE(registry.pull(user("me", "", "idt")));
  EXPECT_TRUE(thief.requests().empty());
  // A GET may go on, without the password.
  EXPECT_TRUE(registry.pull(user("me", "secret")));
  EXPECT_EQ(thief.requests()[0].header("authorization"), "");
}

TEST(Auth, Basic) {
  FakeContent content;
  content.add_image("a/b", "t", {});
  auto wanted = "Basic " + base64_encode("me:secret");
  LoopbackServer server([&](const HttpRequest& request) -> HttpReply {
    if (request.header("authorization") == wanted) return content.handle(request);
    return {401, {{"WWW-Authenticate", "Digest x=y"}, {"WWW-Authenticate", "Basic realm=\"r, s\""}}, "", {}};
  });
  auto pull = [&](const CredentialsProvider& credentials) {
    auto options = test::quick_options(server.url());
    options.credentials = credentials;
    return Client::create(options)->resolve(name("a/b:t"), k_amd64);
  };
  EXPECT_TRUE(pull(user("me", "secret")));
  EXPECT_THAT(pull(user("me", "wrong")).error().text, HasSubstr("credentials were refused"));
  EXPECT_THAT(pull(nullptr).error().text, HasSubstr("a login is needed"));
}

TEST(Auth, ProviderIsAskedOnceWithTheRegistrysKey) {
  LoopbackServer server([&](const HttpRequest&) -> HttpReply {
    return {401, {{"WWW-Authenticate", "Basic"}}, "", {}};
  });
  std::vector<std::string> asked;
  auto options = test::quick_options(server.url() + "/");
  options.credentials = [&](const std::string& url) {
    asked.push_back(url);
    return std::nullopt;
  };
  auto client = Client::create(options);
  (void)client->resolve(name("a/b:t"), k_amd64);
  (void)client->resolve(name("a/c:t"), k_amd64);
  EXPECT_EQ(asked, std::vector<std::string>{server.url()});
}

TEST(Auth, UnknownSchemesAreNamed) {
  LoopbackServer server([&](const HttpRequest&) -> HttpReply {
    return {401, {{"WWW-Authenticate", "Negotiate"}}, "", {}};
  });
  auto result = Client::create(test::quick_options(server.url()))->resolve(name("a/b:t"), k_amd64);
  EXPECT_THAT(result.error().text, HasSubstr("'negotiate', which is not supported"));
}

TEST(Auth, TokensStayWithTheirServer) {
  std::vector<std::string> seen;
  LoopbackServer cdn([&](const HttpRequest& request) {
    auto reply = HttpReply{200, {}, "one", {}};
    if (request.headers.count("authorization")) reply.status = 400;
    return reply;
  });
  BearerRegistry registry([](const HttpRequest&) { return HttpReply{200, {}, R"({"token":"good"})", {}}; });
  LoopbackServer front([&](const HttpRequest& request) -> HttpReply {
    auto reply = registry.answer(request);
    if (reply.status == 200 && request.target.find("/blobs/") != std::string::npos)
      return {307, {{"Location", cdn.url() + "/signed?x=y"}}, "", {}};
    return reply;
  });
  auto client = Client::create(test::quick_options(front.url()));
  auto resolved = client->resolve(name("a/b:t"), k_amd64);
  ASSERT_TRUE(resolved);
  test::MemorySink sink;
  auto result = test::fetch_blob(*client, "a/b", resolved->manifest.layers[0], sink);
  EXPECT_TRUE(result) << result.error().text;
  EXPECT_EQ(cdn.count("/signed?x=y"), 1U);
}

TEST(Auth, RealmMustBeSafe) {
  auto asked = *Url::parse("http://registry.example:5000/v2/");
  auto safe = [&](const char* realm, Tls tls = Tls::verify) { return check_realm(realm, asked, tls).has_value(); };
  EXPECT_TRUE(safe("https://auth.example/token"));
  EXPECT_TRUE(safe("http://registry.example:5001/token"));
  EXPECT_TRUE(safe("http://127.0.0.1:5001/token"));
  EXPECT_FALSE(safe("http://auth.example/token"));
  EXPECT_FALSE(safe("http://169.254.169.254/"));
  EXPECT_TRUE(safe("http://auth.example/token", Tls::insecure));
  EXPECT_FALSE(safe("file:///etc/passwd", Tls::insecure));
  EXPECT_FALSE(safe("/token"));
  EXPECT_FALSE(safe("https://user:pass@auth.example/"));
  EXPECT_FALSE(safe(""));
}

}  // namespace
}  // namespace udk::registry
