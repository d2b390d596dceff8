#include "container/resolv_conf.hpp"

#include <gtest/gtest.h>

namespace udk::container {
namespace {

constexpr const char* k_host =
    "# made by somebody\nnameserver 192.0.2.1\nsearch a.example b.example\noptions ndots:2\n";

TEST(ResolvConf, ReplacesWhatIsGiven) {
  EXPECT_EQ(make_resolv_conf({"192.0.2.9", "2001:db8::1", "fe80::1%eth0"}, {}, k_host).value_or(""),
            "# made by somebody\nsearch a.example b.example\noptions ndots:2\n"
            "nameserver 192.0.2.9\nnameserver 2001:db8::1\nnameserver fe80::1%eth0\n");
  EXPECT_EQ(make_resolv_conf({}, {"x.example", "y.example"}, k_host).value_or(""),
            "# made by somebody\nnameserver 192.0.2.1\noptions ndots:2\nsearch x.example y.example\n");
  EXPECT_EQ(make_resolv_conf({}, {"."}, k_host).value_or(""),
            "# made by somebody\nnameserver 192.0.2.1\noptions ndots:2\n");
  EXPECT_EQ(make_resolv_conf({"192.0.2.9"}, {}, "").value_or(""), "nameserver 192.0.2.9\n");
}

TEST(ResolvConf, Refuses) {
  for (const char* server : {"", "dns.example", "192.0.2", "192.0.2.1\nx", "fe80::1%a\nb", "192.0.2.1%eth0"})
    EXPECT_EQ(make_resolv_conf({server}, {}, "").error().code, Code::usage) << server;
  for (const char* domain : {"", "a b", "a\nnameserver 1"})
    EXPECT_EQ(make_resolv_conf({}, {domain}, "").error().code, Code::usage) << domain;
}

}  // namespace
}  // namespace udk::container
