#include "image/image_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace udk::image {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

ImageConfig config(const std::string& text) {
  auto result = ImageConfig::parse(text);
  EXPECT_TRUE(result) << result.error().text;
  return *result;
}

TEST(ImageConfig, ReadsAnOrdinaryOne) {
  auto c = config(R"({"architecture":"arm","os":"linux","variant":"v7","config":{
    "Env":["PATH=/bin","A=b=c"],"Cmd":["sh","-c","echo"],"Entrypoint":["/init"],"User":"1000:1000","WorkingDir":"/srv",
    "ExposedPorts":{"80/tcp":{},"53/udp":{}},"Volumes":{"/data":{}},"Labels":{"k":"v"}},
    "rootfs":{"type":"layers","diff_ids":["sha256:)" +
                  std::string(64, 'c') + R"("]}})");
  EXPECT_EQ(c.platform(), (Platform{"linux", "arm", "v7"}));
  EXPECT_THAT(c.env(), ElementsAre("PATH=/bin", "A=b=c"));
  EXPECT_THAT(c.cmd(), ElementsAre("sh", "-c", "echo"));
  EXPECT_THAT(c.entrypoint(), ElementsAre("/init"));
  EXPECT_EQ(c.user(), "1000:1000");
  EXPECT_EQ(c.working_dir(), "/srv");
  EXPECT_THAT(c.exposed_ports(), ElementsAre("53/udp", "80/tcp"));
  EXPECT_THAT(c.volumes(), ElementsAre("/data"));
  EXPECT_THAT(c.labels(), ElementsAre(Pair("k", "v")));
  ASSERT_TRUE(c.diff_ids());
  EXPECT_EQ(c.diff_ids()->size(), 1U);
}

TEST(ImageConfig, FindsWhereThePythonToolFinds) {
  EXPECT_EQ(config(R"({"container_config":{"User":"a"}})").user(), "a");
  // A `config` that is there, even if null, is the one that counts.
  EXPECT_EQ(config(R"({"config":null,"container_config":{"User":"a"}})").user(), "");
  EXPECT_EQ(config(R"({"config":{"User":"a"},"User":"b","user":"c"})").user(), "a");
  EXPECT_EQ(config(R"({"config":{"User":null},"User":"b","user":"c"})").user(), "b");
  EXPECT_EQ(config(R"({"config":{},"user":"c"})").user(), "c");
  EXPECT_EQ(config(R"({"config":"text","user":"c"})").user(), "c");
  EXPECT_EQ(config("{}").user(), "");
}

TEST(ImageConfig, ConvertsTypes) {
  EXPECT_THAT(config(R"({"config":{"Cmd":" sh  -c x "}})").cmd(), ElementsAre("sh", "-c", "x"));
  EXPECT_THAT(config(R"({"config":{"Cmd":["a",1,null,true]}})").cmd(), ElementsAre("a", "1", "", "True"));
  EXPECT_THAT(config(R"({"config":{"Env":{"A":"1","B":2}}})").env(), ElementsAre("A=1", "B=2"));
  EXPECT_THAT(config(R"({"config":{"X":{"A":"1"}}})").list("X"), ElementsAre("A:1"));
  EXPECT_EQ(config(R"({"config":{"User":["a","b"]}})").user(), "a b");
  EXPECT_EQ(config(R"({"config":{"User":1000}})").user(), "1000");
  EXPECT_THAT(config(R"({"config":{"ExposedPorts":["80/tcp"]}})").exposed_ports(), ElementsAre("80/tcp"));
  EXPECT_THAT(config(R"({"config":{"Volumes":null}})").volumes(), IsEmpty());
  EXPECT_THAT(config(R"({"config":{"Labels":["a=b","c"]}})").labels(), ElementsAre(Pair("a", "b"), Pair("c", "")));
}

TEST(ImageConfig, ChecksThePlatform) {
  auto arm = config(R"({"os":"linux","architecture":"arm64","variant":"v8"})");
  EXPECT_TRUE(arm.check_platform({"linux", "arm64", ""}));
  auto result = arm.check_platform({"linux", "amd64", "v3"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text, "the image is for linux/arm64/v8, not for linux/amd64/v3");
  EXPECT_TRUE(config("{}").check_platform({"linux", "amd64", ""}));
}

TEST(ImageConfig, RefusesWhatIsNoObject) {
  for (const auto& text :
       {std::string(), std::string("null"), std::string("[]"), std::string("{\"a\":"), std::string("{\"a\":\"\xff\"}"),
        "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}", std::string((16U << 20) + 1, ' ')})
    EXPECT_EQ(ImageConfig::parse(text).error().code, Code::corrupt);
}

TEST(ImageConfig, RefusesBrokenDiffIds) {
  EXPECT_TRUE(config("{}").diff_ids()->empty());
  EXPECT_TRUE(config(R"({"rootfs":[]})").diff_ids()->empty());
  EXPECT_FALSE(config(R"({"rootfs":{"diff_ids":"x"}})").diff_ids());
  EXPECT_FALSE(config(R"({"rootfs":{"diff_ids":["sha256:../x"]}})").diff_ids());
  EXPECT_FALSE(config(R"({"rootfs":{"diff_ids":[7]}})").diff_ids());
}

}  // namespace
}  // namespace udk::image
