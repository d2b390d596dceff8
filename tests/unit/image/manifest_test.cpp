#include "image/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/media_type.hpp"

namespace udk::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string digest_of(char c) { return "sha256:" + std::string(64, c); }

std::string descriptor(char c, const std::string& type = "application/vnd.oci.image.layer.v1.tar+gzip",
                       const std::string& more = "") {
  return R"({"mediaType":")" + type + R"(","digest":")" + digest_of(c) + R"(","size":7)" + more + "}";
}

std::string manifest(const std::string& more = "",
                     const std::string& config_type = std::string(media_type::k_oci_config)) {
  return R"({"schemaVersion":2,)" + more + R"("config":)" + descriptor('0', config_type) + R"(,"layers":[)" +
         descriptor('1') + "," + descriptor('2') + "]}";
}

std::string entry(char c, const std::string& platform, const std::string& more = "") {
  return descriptor(c, std::string(media_type::k_oci_manifest),
                    (platform.empty() ? "" : R"(,"platform":)" + platform) + more);
}

std::string platform(const std::string& os, const std::string& arch, const std::string& variant = "") {
  return R"({"os":")" + os + R"(","architecture":")" + arch + "\"" +
         (variant.empty() ? "" : R"(,"variant":")" + variant + "\"") + "}";
}

Index index(const std::vector<std::string>& entries) {
  std::string text = R"({"schemaVersion":2,"manifests":[)";
  for (const auto& e : entries) text += (text.back() == '[' ? "" : ",") + e;
  auto document = parse_document(text + "]}", "");
  EXPECT_TRUE(document) << document.error().text;
  return std::get<Index>(*document);
}

Code code_of(const std::string& text, std::string_view announced = {}) {
  auto document = parse_document(text, announced);
  EXPECT_FALSE(document) << text;
  return document ? Code::internal : document.error().code;
}

TEST(Manifest, ParsesAndKeepsTheBytes) {
  auto text = manifest(" \n ");
  auto result = parse_manifest(text);
  ASSERT_TRUE(result) << result.error().text;
  EXPECT_EQ(result->raw, text);
  EXPECT_EQ(result->media_type, media_type::k_oci_manifest);
  EXPECT_EQ(result->config.digest.text(), digest_of('0'));
  ASSERT_EQ(result->layers.size(), 2U);
  EXPECT_EQ(result->layers[1].digest.text(), digest_of('2'));
  EXPECT_EQ(result->layers[1].size, 7U);
  EXPECT_TRUE(result->check_is_image());
}

TEST(Manifest, TypeComesFromBodyOrAnnouncement) {
  EXPECT_EQ(parse_manifest(manifest(), "application/json")->media_type, media_type::k_oci_manifest);
  EXPECT_EQ(parse_manifest(manifest(), "text/plain")->media_type, media_type::k_oci_manifest);
  EXPECT_EQ(parse_manifest(manifest(), std::string(media_type::k_docker_manifest) + "; charset=utf-8")->media_type,
            media_type::k_docker_manifest);
  auto docker = R"("mediaType":")" + std::string(media_type::k_docker_manifest) + "\",";
  EXPECT_EQ(parse_manifest(manifest(docker))->media_type, media_type::k_docker_manifest);
  EXPECT_EQ(parse_manifest(manifest(docker), media_type::k_docker_manifest)->media_type, media_type::k_docker_manifest);
}

TEST(Manifest, RefusesTypeConfusion) {
  auto docker = R"("mediaType":")" + std::string(media_type::k_docker_manifest) + "\",";
  EXPECT_EQ(code_of(manifest(docker), media_type::k_oci_manifest), Code::corrupt);
  EXPECT_EQ(code_of(manifest(R"("manifests":[],)")), Code::corrupt);
  EXPECT_EQ(code_of(manifest(), media_type::k_oci_index), Code::corrupt);
  auto list = R"("mediaType":")" + std::string(media_type::k_docker_list) + "\",";
  EXPECT_EQ(code_of(manifest(list)), Code::corrupt);
  EXPECT_EQ(code_of(R"({"schemaVersion":2,"manifests":[]})", media_type::k_docker_manifest), Code::corrupt);
  EXPECT_EQ(code_of(manifest(R"("mediaType":"application/x",)")), Code::unsupported);
}

TEST(Manifest, RefusesSchema1) {
  for (const char* text :
       {R"({"schemaVersion":1,"fsLayers":[],"history":[]})", R"({"schemaVersion":1})", R"({"fsLayers":[]})"}) {
    auto document = parse_document(text, media_type::k_docker_schema1_signed);
    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().code, Code::unsupported);
    EXPECT_THAT(document.error().text, HasSubstr("schema 1"));
  }
  EXPECT_EQ(code_of(manifest(), media_type::k_docker_schema1), Code::unsupported);
}

TEST(Manifest, RefusesBrokenOnes) {
  auto with = [](const std::string& d) { return R"({"config":)" + descriptor('0') + R"(,"layers":[)" + d + "]}"; };
  EXPECT_EQ(code_of(""), Code::corrupt);
  EXPECT_EQ(code_of("{}"), Code::corrupt);
  EXPECT_EQ(code_of("[]"), Code::corrupt);
  EXPECT_EQ(code_of(R"({"layers":[]})"), Code::corrupt);
  EXPECT_EQ(code_of(R"({"config":[],"layers":[]})"), Code::corrupt);
  EXPECT_EQ(code_of(R"({"config":null,"layers":[]})"), Code::corrupt);
  EXPECT_EQ(code_of(with("7")), Code::corrupt);
  EXPECT_EQ(code_of(with("{}")), Code::corrupt);
  EXPECT_EQ(code_of(with(R"({"digest":"sha256:../../etc/passwd","size":1})")), Code::corrupt);
  EXPECT_EQ(code_of(with(R"({"digest":")" + digest_of('1') + R"("})")), Code::corrupt);
  EXPECT_EQ(code_of(with(R"({"digest":")" + digest_of('1') + R"(","size":-1})")), Code::corrupt);
  EXPECT_EQ(code_of(with(R"({"digest":")" + digest_of('1') + R"(","size":1.5})")), Code::corrupt);
  EXPECT_EQ(code_of(with(R"({"digest":")" + digest_of('1') + R"(","size":18446744073709551615})")), Code::corrupt);
  EXPECT_EQ(code_of(with(R"({"digest":")" + digest_of('1') + R"(","size":"7"})")), Code::corrupt);
  EXPECT_EQ(code_of(R"({"config":)" + descriptor('0') + R"(,"layers":{}})"), Code::corrupt);
  EXPECT_EQ(code_of("{\"a\":" + std::string(1000, '[') + "}"), Code::corrupt);
  EXPECT_EQ(code_of(std::string(k_max_manifest_size + 1, ' ')), Code::corrupt);
}

TEST(Manifest, BlobsAreNamedOnce) {
  auto with = [](const std::string& layers) {
    return *parse_manifest(R"({"config":)" + descriptor('0') + R"(,"layers":[)" + layers + "]}");
  };
  auto blobs = with(descriptor('1') + "," + descriptor('2') + "," + descriptor('1')).blobs();
  ASSERT_TRUE(blobs);
  ASSERT_EQ(blobs->size(), 3U);
  EXPECT_EQ((*blobs)[0].digest.text(), digest_of('0'));
  EXPECT_EQ((*blobs)[1].digest.text(), digest_of('1'));
  EXPECT_EQ((*blobs)[2].digest.text(), digest_of('2'));
  auto other_size = R"({"digest":")" + digest_of('1') + R"(","size":8})";
  EXPECT_EQ(with(descriptor('1') + "," + other_size).blobs().error().code, Code::corrupt);
}

TEST(Manifest, KnowsArtifacts) {
  auto chart = parse_manifest(manifest("", "application/vnd.cncf.helm.config.v1+json"));
  ASSERT_TRUE(chart);
  EXPECT_EQ(chart->check_is_image().error().code, Code::unsupported);
  EXPECT_THAT(chart->check_is_image().error().text, HasSubstr("vnd.cncf.helm"));
  auto typed = parse_manifest(manifest(R"("artifactType":"application/vnd.x",)", std::string(media_type::k_oci_empty)));
  EXPECT_THAT(typed->check_is_image().error().text, HasSubstr("application/vnd.x"));
  EXPECT_TRUE(parse_manifest(manifest("", "application/octet-stream"))->check_is_image());
}

TEST(Index, FirstOfTheBestVariantWins) {
  auto i = index({entry('a', platform("linux", "arm64", "v8")), entry('b', platform("linux", "amd64")),
                  entry('c', platform("linux", "amd64")), entry('d', platform("linux", "amd64", "v3")),
                  entry('e', platform("linux", "arm", "v6")), entry('f', platform("linux", "arm", "v7"))});
  auto chosen = [&](const Platform& wanted) { return i.choose(wanted)->digest.text(); };
  EXPECT_EQ(chosen({"linux", "amd64", ""}), digest_of('b'));
  EXPECT_EQ(chosen({"linux", "amd64", "v2"}), digest_of('b'));
  EXPECT_EQ(chosen({"linux", "amd64", "v4"}), digest_of('d'));
  EXPECT_EQ(chosen({"linux", "arm64", ""}), digest_of('a'));
  EXPECT_EQ(chosen({"linux", "arm", "v8"}), digest_of('f'));
  EXPECT_EQ(chosen({"linux", "arm", "v6"}), digest_of('e'));
  auto none = i.choose({"linux", "s390x", ""});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::not_found);
  EXPECT_THAT(none.error().text, HasSubstr("linux/s390x"));
  EXPECT_THAT(none.error().text, HasSubstr("linux/arm64/v8, linux/amd64, linux/amd64/v3, linux/arm/v6, linux/arm/v7"));
}

TEST(Index, TakesTheFirstOfTheWantedPlatforms) {
  const std::vector<Platform> wanted{{"linux", "amd64", ""}, {"linux", "amd64", "v2"}, {"linux", "amd64", "v3"}};
  auto chosen = [&](const std::vector<std::string>& entries) { return index(entries).choose(wanted)->digest.text(); };
  auto v1 = entry('a', platform("linux", "amd64", "v1"));
  auto plain = entry('b', platform("linux", "amd64"));
  auto v2 = entry('c', platform("linux", "amd64", "v2"));
  auto v3 = entry('d', platform("linux", "amd64", "v3"));
  auto v4 = entry('e', platform("linux", "amd64", "v4"));
  auto inner = descriptor('f', std::string(media_type::k_oci_index));
  EXPECT_EQ(chosen({v4, v3, v2, plain}), digest_of('b'));
  EXPECT_EQ(chosen({v3, v1, v2, plain}), digest_of('a'));
  EXPECT_EQ(chosen({inner, v4, v3, v2}), digest_of('c'));
  EXPECT_EQ(chosen({v4, v3}), digest_of('d'));
  EXPECT_EQ(chosen({v4, inner}), digest_of('f'));
  auto none = index({v4}).choose(wanted);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text, HasSubstr("no image for platform linux/amd64 (available: linux/amd64/v4)"));
}

TEST(Index, NeverTakesAttestations) {
  auto mark = R"(,"annotations":{"vnd.docker.reference.type":"attestation-manifest"})";
  auto i = index({entry('a', platform("unknown", "unknown")), entry('b', platform("linux", "amd64"), mark),
                  entry('c', "", R"(,"artifactType":"application/spdx+json")"), entry('d', "", mark)});
  auto none = i.choose({"linux", "amd64", ""});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text, HasSubstr("holds no images"));
  EXPECT_THAT(i.available(), ElementsAre());
}

TEST(Index, TakesInnerIndexesLast) {
  auto inner = descriptor('a', std::string(media_type::k_oci_index));
  EXPECT_EQ(index({inner, entry('b', platform("linux", "amd64"))}).choose({"linux", "amd64", ""})->digest.text(),
            digest_of('b'));
  EXPECT_EQ(index({entry('b', platform("linux", "arm64")), inner}).choose({"linux", "amd64", ""})->digest.text(),
            digest_of('a'));
}

TEST(Index, SkipsWhatItCannotRead) {
  auto i = index({R"({"digest":"blake3:00","size":1})", "7", descriptor('a', "application/x-unknown"),
                  entry('b', platform("linux", "amd64"))});
  EXPECT_EQ(i.choose({"linux", "amd64", ""})->digest.text(), digest_of('b'));
}

TEST(MediaType, Essence) {
  EXPECT_EQ(media_type::essence("Application/JSON ; charset=utf-8"), "application/json");
  EXPECT_EQ(media_type::essence(""), "");
}

}  // namespace
}  // namespace udk::image
