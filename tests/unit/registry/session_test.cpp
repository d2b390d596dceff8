#include "registry/session.hpp"

#include <gtest/gtest.h>

namespace udk::registry {
namespace {

std::unique_ptr<Session> session(const std::string& url, Tls tls = Tls::verify) {
  Options options;
  options.registry_url = url;
  options.tls = tls;
  return std::move(*Session::create(options));
}

TEST(Session, HttpOnlyWhereItIsAllowed) {
  EXPECT_FALSE(session("registry.example")->fall_back_to_http());
  EXPECT_FALSE(session("https://localhost:5000")->fall_back_to_http());
  EXPECT_FALSE(session("https://registry.example", Tls::insecure)->fall_back_to_http());
  EXPECT_EQ(session("http://registry.example")->base().origin(), "http://registry.example:80");
  for (auto& allowed : {session("localhost:5000"), session("127.0.0.1"), session("registry.example", Tls::insecure)}) {
    EXPECT_TRUE(allowed->base().is_https());
    EXPECT_TRUE(allowed->fall_back_to_http());
    EXPECT_FALSE(allowed->base().is_https());
    EXPECT_FALSE(allowed->fall_back_to_http());
  }
}

TEST(Session, NoWayBackAfterTheFirstAnswer) {
  auto one = session("localhost:5000");
  one->set_contacted();
  EXPECT_FALSE(one->fall_back_to_http());
}

TEST(Session, MovesToHttpsOfTheSameHostOnly) {
  auto url = [](const char* text) { return *Url::parse(text); };
  auto from = url("http://r.example/pre/v2/a/manifests/t");
  auto make = [] { return session("http://r.example/pre"); };
  EXPECT_FALSE(make()->move_to_https(from, url("https://other.example/pre/v2/a/manifests/t")));
  EXPECT_FALSE(make()->move_to_https(from, url("https://r.example/elsewhere")));
  EXPECT_FALSE(make()->move_to_https(from, url("http://r.example:81/pre/v2/a/manifests/t")));
  EXPECT_FALSE(make()->move_to_https(url("http://cdn.example/x"), url("https://cdn.example/x")));
  auto moved = make();
  EXPECT_TRUE(moved->move_to_https(from, url("https://r.example/pre/v2/a/manifests/t")));
  EXPECT_EQ(moved->url("/v2/x")->text(), "https://r.example/pre/v2/x");
}

TEST(Session, KnowsDockerHub) {
  EXPECT_TRUE(session("https://registry-1.docker.io")->is_docker_hub());
  EXPECT_FALSE(session("https://registry-1.docker.io.example")->is_docker_hub());
  EXPECT_FALSE(session("https://notdocker.io")->is_docker_hub());
}

}  // namespace
}  // namespace udk::registry
