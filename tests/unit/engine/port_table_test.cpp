#include "engine/ptrace/port_table.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

namespace udk::engine {
namespace {

using container::PortMap;
using container::Protocol;

struct Internet {
  Internet(const char* text, std::uint16_t port) {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    if (::inet_pton(AF_INET, text, &four.sin_addr) == 1) {
      length = sizeof four;
      std::memcpy(&bytes, &four, sizeof four);
      return;
    }
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    ::inet_pton(AF_INET6, text, &six.sin6_addr);
    length = sizeof six;
    std::memcpy(&bytes, &six, sizeof six);
  }
  [[nodiscard]] std::uint16_t port() const { return port_of(bytes, length); }
  [[nodiscard]] std::string text() const {
    char out[INET6_ADDRSTRLEN] = "";
    const auto* raw = reinterpret_cast<const char*>(&bytes);
    const std::size_t at =
        bytes.ss_family == AF_INET ? offsetof(sockaddr_in, sin_addr) : offsetof(sockaddr_in6, sin6_addr);
    ::inet_ntop(bytes.ss_family, raw + at, out, sizeof out);
    return out;
  }
  sockaddr_storage bytes{};
  socklen_t length = 0;
};

PortTable table_of(std::vector<PortMap> maps, bool all = false) {
  container::RunSpec spec;
  spec.ports = std::move(maps);
  spec.publish_all = all;
  return PortTable(spec);
}

TEST(PortTable, APublishedPort) {
  PortTable table = table_of({{"", 45080, 80, Protocol::tcp}});
  Internet address("0.0.0.0", 80);
  ASSERT_TRUE(table.to_host_bind(Protocol::tcp, address.bytes, address.length));
  EXPECT_EQ(address.port(), 45080);
  EXPECT_TRUE(table.to_guest(Protocol::tcp, address.bytes, address.length));
  EXPECT_EQ(address.port(), 80);
  for (const char* local : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    Internet peer(local, 80);
    EXPECT_TRUE(table.to_host_peer(Protocol::tcp, peer.bytes, peer.length)) << local;
    EXPECT_EQ(peer.port(), 45080);
  }
  Internet far("192.0.2.1", 80);
  EXPECT_FALSE(table.to_host_peer(Protocol::tcp, far.bytes, far.length));
  EXPECT_EQ(far.port(), 80);
}

TEST(PortTable, ProtocolsAreApart) {
  PortTable table = table_of({{"", 45053, 5353, Protocol::udp}});
  Internet address("127.0.0.1", 5353);
  EXPECT_FALSE(table.to_host_bind(Protocol::tcp, address.bytes, address.length));
  EXPECT_TRUE(table.to_host_bind(Protocol::udp, address.bytes, address.length));
  EXPECT_EQ(address.port(), 45053);
}

TEST(PortTable, AnAddressNarrowsTheWildcardOnly) {
  PortTable table = table_of({{"127.0.0.1", 45081, 8081, Protocol::tcp}});
  Internet everywhere("0.0.0.0", 8081);
  EXPECT_TRUE(table.to_host_bind(Protocol::tcp, everywhere.bytes, everywhere.length));
  EXPECT_EQ(everywhere.text(), "127.0.0.1");
  Internet six("::", 8081);
  EXPECT_TRUE(table.to_host_bind(Protocol::tcp, six.bytes, six.length));
  EXPECT_EQ(six.text(), "::ffff:127.0.0.1");
  Internet chosen("127.0.0.2", 8081);
  EXPECT_TRUE(table.to_host_bind(Protocol::tcp, chosen.bytes, chosen.length));
  EXPECT_EQ(chosen.text(), "127.0.0.2");
}

TEST(PortTable, AllPortsBecomeFreeOnesAndStaySo) {
  PortTable table = table_of({}, true);
  Internet address("127.0.0.1", 7777);
  ASSERT_TRUE(table.to_host_bind(Protocol::tcp, address.bytes, address.length));
  const std::uint16_t host = address.port();
  EXPECT_NE(host, 0);
  Internet again("127.0.0.1", 7777);
  EXPECT_TRUE(table.to_host_bind(Protocol::tcp, again.bytes, again.length));
  EXPECT_EQ(again.port(), host);
}

TEST(PortTable, WhatIsNoInternetAddress) {
  PortTable table = table_of({{"", 45080, 80, Protocol::tcp}});
  Internet none("127.0.0.1", 0);
  EXPECT_FALSE(table.to_host_bind(Protocol::tcp, none.bytes, none.length));
  none.bytes.ss_family = AF_UNIX;
  EXPECT_EQ(port_of(none.bytes, none.length), 0);
  Internet cut("127.0.0.1", 80);
  EXPECT_EQ(port_of(cut.bytes, 4), 0);
}

}  // namespace
}  // namespace udk::engine
