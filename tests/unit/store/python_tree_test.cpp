// A repository that the Python tool wrote, as its own commands showed it (transcript.txt in the archive).
#include <algorithm>

#include "archive/owner_record.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "store/keystore.hpp"
#include "store/python_json.hpp"
#include "unit/store/scratch_store.hpp"

namespace udk::store {
namespace {

class PythonTree : public ::testing::Test {
 protected:
  void SetUp() override {
    auto run = run_captured({"tar", "-C", dir_.path(), "-xzf", FIXTURES "/python-udocker-1.3.16.tar.gz"},
                            {std::chrono::seconds(60)});
    ASSERT_TRUE(run && run->status == 0);
    auto opened = Store::open(Paths::under(dir_ / "tree"));
    ASSERT_TRUE(opened) << opened.error().text;
    store_ = std::move(*opened);
  }
  [[nodiscard]] const Store& store() const { return *store_; }
  // The output of the first run of a command in the transcript.
  [[nodiscard]] std::string transcript(const std::string& command) const {
    auto text = *read_file(dir_ / "transcript.txt");
    auto start = text.find("$ udocker " + command + "\n");
    start = text.find('\n', start) + 1;
    return text.substr(start, text.find("[exit ", start) - start);
  }

  udk::test::TempDir dir_;
  std::optional<Store> store_;
};

TEST_F(PythonTree, Images) {
  std::vector<std::string> seen;
  auto images = store().images().list();
  ASSERT_TRUE(images);
  for (const auto& image : *images)
    seen.push_back(image.name.text() + (image.protection == Protection::on ? " P" : " ."));
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen,
            (std::vector<std::string>{"fixtures/renamed:9 .", "fixtures/tiny:1.0 P", "imported:2 .", "tinyoci:1.0 ."}));
  for (const auto& image : *images) EXPECT_EQ(store().images().platform(image.name), "linux/amd64");
}

TEST_F(PythonTree, V2Image) {
  auto image = store().images().load({"fixtures/tiny", "1.0"});
  ASSERT_TRUE(image) << image.error().text;
  EXPECT_EQ(image->format, ImageFormat::v2);
  ASSERT_EQ(image->layers.size(), 2U);
  EXPECT_EQ(image->layers[0].name, "sha256:597ccfd3424ce446aacbffd2d2fb20fb4a5a3cccc730b04ee6a1ea4c032874c3");
  EXPECT_EQ(image->layers[0].size, 445U);
  EXPECT_EQ(image->layers[0].diff_id->text(),
            "sha256:e43449d6e520cd2373b6772c900d6698c61eb38437db1ca68f1c2df10f69624b");
  EXPECT_EQ(image->layers[1].digest->text(), "sha256:7a8ee2925a3862e3c382ddf4c05666fd2d5562d7a3a5510ebf783593fde44189");
  EXPECT_EQ(image->config_digest->hex(), "408bcc418f584ac318e69e7192dc7139baa1db288533f6ccdb915160a91bc9e6");
  EXPECT_FALSE(image->manifest_digest);
  EXPECT_EQ(*python_json_pretty(image->config) + "\n", transcript("inspect fixtures/tiny:1.0"));
  for (const auto& layer : image->layers) EXPECT_TRUE(store().blobs().verify(*layer.digest));
}

TEST_F(PythonTree, LoadedImageAndItsCopyThatLostContainerJson) {
  for (const ImageName& name : {ImageName{"tinyoci", "1.0"}, ImageName{"fixtures/renamed", "9"}}) {
    auto image = store().images().load(name);
    ASSERT_TRUE(image) << image.error().text;
    EXPECT_EQ(image->format, ImageFormat::v1);
    ASSERT_EQ(image->layers.size(), 2U);
    EXPECT_EQ(image->layers[0].name, "597ccfd3424ce446aacbffd2d2fb20fb4a5a3cccc730b04ee6a1ea4c032874c3.layer");
    EXPECT_TRUE(image->layers[0].diff_id);
    EXPECT_NE(image->config.find("/bin/hello"), std::string::npos);
  }
}

TEST_F(PythonTree, ImportedImageHasNoUsableDiffId) {
  auto image = store().images().load({"imported", "2"});
  ASSERT_TRUE(image);
  ASSERT_EQ(image->layers.size(), 1U);
  EXPECT_FALSE(image->layers[0].diff_id);
}

TEST_F(PythonTree, LinksOfAnImage) {
  auto links = store().images().links({"tinyoci", "1.0"});
  ASSERT_TRUE(links);
  EXPECT_EQ(links->size(), 3U);
  for (const auto& link : *links) EXPECT_TRUE(link.size) << link.name;
}

TEST_F(PythonTree, Containers) {
  std::vector<std::string> seen;
  auto containers = store().containers().list();
  ASSERT_TRUE(containers);
  for (const auto& c : *containers) {
    auto names = c.aliases;
    std::sort(names.begin(), names.end());
    seen.push_back(c.id.substr(0, 8) + (c.protection == Protection::on ? " P " : " . ") +
                   static_cast<char>(c.root_state) + " " + join(names, ",") + " " + c.image);
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<std::string>{"56b5a1d4 P W imp2 fixtures/tiny:1.0", "7d7f1af9 P W c33 fixtures/tiny:1.0",
                                            "ccd7d28c . W c2 fixtures/tiny:1.0", "dda26ba9 . W c1 fixtures/tiny:1.0",
                                            "e2f405bd . W  tinyoci:1.0", "e7ac9a65 . W imp1 IMPORTED:unknown"}));
}

TEST_F(PythonTree, OneContainer) {
  auto id = store().containers().resolve("c2");
  ASSERT_TRUE(id);
  EXPECT_EQ(*id, "ccd7d28c-e734-3771-be49-2a9bc849c073");
  EXPECT_EQ(store().containers().resolve(*id), *id);
  EXPECT_EQ(store().containers().execution_mode(*id), "P2");
  EXPECT_EQ(store().containers().root_path(*id), "/srv/udocker-fixture/tree/containers/" + *id + "/ROOT");
  EXPECT_EQ(store().containers().platform(*id), "linux/amd64");
  EXPECT_EQ(*python_json_pretty(*store().containers().config(*id)) + "\n", transcript("inspect c1"));
  EXPECT_EQ(*python_json_line(*store().containers().config(*id)), *store().containers().config(*id));
  EXPECT_EQ(store().containers().size_mb(*id), 1U);
  EXPECT_TRUE(store().containers().owners(*id)->empty());
  EXPECT_FALSE(store().containers().execution_mode(*store().containers().resolve("c1")));
}

TEST_F(PythonTree, StoredManifestIsOurNotation) {
  auto text = *read_file(dir_ / "tree/repos/fixtures/tiny/1.0/manifest");
  EXPECT_EQ(*python_json_line(text), text);
}

TEST_F(PythonTree, RemovingOneOfTwoThatShareBlobsKeepsThem) {
  // The Python tool would delete the configuration here, which the other image knows under the name container.json.
  ASSERT_TRUE(store().images().remove({"fixtures/renamed", "9"}, Removal::normal));
  EXPECT_TRUE(store().images().load({"tinyoci", "1.0"}));
  EXPECT_FALSE(exists(dir_ / "tree/repos/fixtures/renamed"));
  ASSERT_TRUE(store().images().remove({"tinyoci", "1.0"}, Removal::normal));
  EXPECT_FALSE(exists(dir_ / "tree/layers/2b72244249cfde0ed443e1606855ffeccf8c96a9ebf4e56817dfb9edcdd9e2de.layer"));
  EXPECT_EQ(list_dir(dir_ / "tree/layers")->size(), 5U);
  EXPECT_TRUE(store().images().load({"fixtures/tiny", "1.0"}));
  EXPECT_EQ(store().images().remove({"fixtures/tiny", "1.0"}, Removal::force).error().code, Code::denied);
}

TEST_F(PythonTree, Keystore) {
  Keystore keys(dir_ / "keystore");
  auto found = keys.lookup("http://127.0.0.1:5443");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->user, "tester");
  EXPECT_EQ((*found)->password.reveal(), "secret");
  EXPECT_FALSE(*keys.lookup("http://127.0.0.1:5000"));
}

}  // namespace
}  // namespace udk::store
