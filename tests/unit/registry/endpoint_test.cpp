#include "registry/endpoint.hpp"

#include <gtest/gtest.h>

namespace udk::registry {
namespace {

Endpoint select(const char* name, const EndpointRules& rules) {
  return select_endpoint(*image::Reference::parse(name), rules);
}

TEST(Endpoint, Select) {
  const Endpoint hub{k_docker_hub_registry, k_docker_hub_index};
  EndpointRules plain;
  EXPECT_EQ(select("busybox", plain), hub);
  EXPECT_EQ(select("docker.io/busybox", plain), hub);
  EXPECT_EQ(select("quay.io/a/b", plain), (Endpoint{"quay.io", "quay.io"}));
  EXPECT_EQ(select("localhost:5000/a", plain), (Endpoint{"localhost:5000", "localhost:5000"}));

  EndpointRules options = plain;
  options.registry_option = "http://r";
  EXPECT_EQ(select("busybox", options), (Endpoint{"http://r", ""}));
  EXPECT_EQ(select("quay.io/a/b", options), (Endpoint{"quay.io", "quay.io"}));
  options.index_option = "http://i";
  EXPECT_EQ(select("busybox", options), (Endpoint{"http://r", "http://i"}));

  // What the configuration says of Docker Hub holds for docker.io too.
  EndpointRules moved = plain;
  moved.hub = {"https://mirror", "https://index"};
  EXPECT_EQ(select("docker.io/x", moved), moved.hub);
  EXPECT_EQ(select("x", moved), moved.hub);
  moved.table["quay.io"] = {"https://q", "https://qi"};
  moved.table["docker.io"] = {"https://d", "https://di"};
  EXPECT_EQ(select("quay.io/x", moved), (Endpoint{"https://q", "https://qi"}));
  EXPECT_EQ(select("docker.io/x", moved), (Endpoint{"https://d", "https://di"}));
}

TEST(Endpoint, KeystoreKey) {
  EXPECT_EQ(keystore_key("https://registry-1.docker.io"), "https://registry-1.docker.io");
  EXPECT_EQ(keystore_key("quay.io"), "https://quay.io");
  EXPECT_EQ(keystore_key("http://h:5000/"), "http://h:5000");
}

}  // namespace
}  // namespace udk::registry
