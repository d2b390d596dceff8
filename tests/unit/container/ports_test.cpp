#include "container/ports.hpp"

#include <gtest/gtest.h>

#include "unit/container/guest_tree.hpp"

namespace udk::container {
namespace {

TEST(Ports, Parse) {
  struct Case {
    const char *text, *address;
    unsigned host, container;
    Protocol protocol;
  };
  const Case cases[] = {
      {"8080:80", "", 8080, 80, Protocol::tcp},
      {"5353:53/udp", "", 5353, 53, Protocol::udp},
      {"127.0.0.1:8080:80/TCP", "127.0.0.1", 8080, 80, Protocol::tcp},
      {"[::1]:8080:80", "::1", 8080, 80, Protocol::tcp},
      {":8080:80", "", 8080, 80, Protocol::tcp},
  };
  for (const auto& c : cases) {
    auto map = parse_port_map(c.text);
    ASSERT_TRUE(map) << c.text;
    EXPECT_EQ(map->address, c.address);
    EXPECT_EQ(map->host, c.host);
    EXPECT_EQ(map->container, c.container);
    EXPECT_EQ(map->protocol, c.protocol);
  }
}

TEST(Ports, ParseRefuses) {
  for (const char* text : {"", "80", "a:80", "80:a", "0:80", "80:0", "65536:80", "80:80/icmp", "80:80/", "host:80:80",
                           "1.2.3:80:80", "[::1:80:80", "[x]:80:80", "[::1]:80", "1:2:3:4", "[::1]:1.2.3.4:80:80"}) {
    auto map = parse_port_map(text);
    ASSERT_FALSE(map) << text;
    EXPECT_TRUE(map.error().text.starts_with("invalid port mapping " + std::string(text) + ": ")) << map.error().text;
  }
}

TEST(Ports, ExposedPortsNotice) {
  auto host = test::test_host();
  Metadata metadata;
  auto text = [&](const std::vector<PortMap>& maps) {
    auto notice = exposed_ports_notice(metadata, maps, host);
    return notice ? notice->text : "";
  };
  EXPECT_EQ(text({}), "");
  metadata.exposed_ports = {"8080/tcp", "junk", "9000-9010/tcp"};
  EXPECT_EQ(text({}), "this container exposes TCP/IP ports");
  metadata.exposed_ports = {"8080/tcp", "80/tcp"};
  EXPECT_EQ(text({}), "this container exposes privileged TCP/IP ports");
  EXPECT_EQ(text({{"", 8081, 80, Protocol::udp}}), "this container exposes privileged TCP/IP ports");
  EXPECT_EQ(text({{"", 81, 80, Protocol::tcp}}), "this container exposes privileged TCP/IP ports");
  EXPECT_EQ(text({{"", 8081, 80, Protocol::tcp}}), "this container exposes TCP/IP ports");
  host.uid = 0;
  EXPECT_EQ(text({}), "this container exposes TCP/IP ports");
}

}  // namespace
}  // namespace udk::container
