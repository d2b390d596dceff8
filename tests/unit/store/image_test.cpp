#include <sys/stat.h>

#include <algorithm>

#include "base/path.hpp"
#include "base/text.hpp"
#include "store/python_json.hpp"
#include "unit/store/kill_at.hpp"
#include "unit/store/scratch_store.hpp"

namespace udk::store {
namespace {

using test::pull;
using test::SampleImage;
using test::ScratchStore;
using test::tree_of;

const SampleImage k_one{R"({"os":"linux","architecture":"amd64","config":{}})", {"base layer", "top layer"}};
const SampleImage k_two{R"({"os":"linux","architecture":"arm64","variant":"v7"})", {"base layer", "other layer"}};
const ImageName k_name{"some/image", "1.0"};

std::string blob(const std::string& content) { return image::Digest::of(content).text(); }

std::vector<std::string> blobs_of(const std::vector<const SampleImage*>& samples) {
  std::vector<std::string> out;
  for (const auto* sample : samples) {
    out.push_back(blob(sample->config));
    for (const auto& layer : sample->layers) out.push_back(blob(layer));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// The files that a repository with these images alone has.
void expect_clean(const ScratchStore& scratch, const std::vector<const SampleImage*>& samples) {
  EXPECT_EQ(tree_of(scratch / "layers"), blobs_of(samples));
  auto state = tree_of(scratch / ".state");
  for (const auto& path : state) {
    bool expected = path.ends_with("/") || path.starts_with("repos/manifests/");
    EXPECT_TRUE(expected) << path;
    EXPECT_FALSE(path.starts_with("repos/draft-") || path.starts_with("repos/pin-")) << path;
  }
}

// The image is whole: `sample`, byte for byte.
void expect_image(const Store& store, const ImageName& name, const SampleImage& sample) {
  auto image = store.images().load(name);
  ASSERT_TRUE(image) << image.error().text;
  EXPECT_EQ(image->config, sample.config);
  ASSERT_EQ(image->layers.size(), sample.layers.size());
  for (std::size_t i = 0; i < sample.layers.size(); ++i) EXPECT_EQ(*read_file(image->layers[i].path), sample.layers[i]);
}

TEST(Image, LayoutOnDisk) {
  ScratchStore scratch;
  auto store = scratch.open();
  ASSERT_TRUE(pull(store, k_name, k_one));
  std::vector<std::string> expected{
      "some/", "some/image/", "some/image/1.0/", "some/image/1.0/TAG", "some/image/1.0/manifest", "some/image/1.0/v2"};
  for (const auto& name : blobs_of({&k_one}))
    expected.push_back("some/image/1.0/" + name + " -> ../../../../layers/" + name);
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(tree_of(scratch / "repos"), expected);
  EXPECT_EQ(*read_file(scratch / "repos/some/image/1.0/TAG"), scratch / "repos/some/image:1.0");
  EXPECT_EQ(*read_file(scratch / "repos/some/image/1.0/v2"), "");
  EXPECT_EQ(*read_file(scratch / "repos/some/image/1.0/manifest"), *python_json_line(k_one.manifest().raw));
  expect_clean(scratch, {&k_one});
}

TEST(Image, LoadKnowsTheManifestAsSent) {
  ScratchStore scratch;
  auto store = scratch.open();
  ASSERT_TRUE(pull(store, k_name, k_one));
  auto image = store.images().load(k_name);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->manifest, k_one.manifest().raw);
  EXPECT_EQ(*image->manifest_digest, image::Digest::of(k_one.manifest().raw));
  EXPECT_EQ(image->layers[1].size, 9U);
  EXPECT_EQ(store.images().platform(k_name), "linux/amd64");
  expect_image(store, k_name, k_one);
}

TEST(Image, NotVisibleBeforeItIsWhole) {
  ScratchStore scratch;
  auto store = scratch.open();
  {
    auto draft = store.images().begin(k_name);
    ASSERT_TRUE(draft);
    auto manifest = k_one.manifest();
    ASSERT_TRUE(draft->claim(manifest));
    ASSERT_TRUE(store.blobs().add(image::Digest::of(k_one.config), k_one.config));
    auto published = draft->publish(manifest);
    ASSERT_FALSE(published);
    EXPECT_EQ(published.error().code, Code::not_found);
    EXPECT_TRUE(tree_of(scratch / "repos").empty());
    EXPECT_TRUE(store.images().list()->empty());
  }
  // What was fetched is there for the next attempt, and goes with it.
  EXPECT_TRUE(store.blobs().has(image::Digest::of(k_one.config)));
  ASSERT_TRUE(pull(store, k_name, k_two));
  expect_clean(scratch, {&k_two});
}

TEST(Image, AbandonedDraftLeavesNothing) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto draft = store.images().begin(k_name);
  ASSERT_TRUE(draft->claim(k_one.manifest()));
  ASSERT_TRUE(store.blobs().add(image::Digest::of(k_one.config), k_one.config));
  draft->abandon();
  expect_clean(scratch, {});
  { auto unused = store.images().begin(k_name); }
  expect_clean(scratch, {});
}

TEST(Image, MovedTagLeavesNoGarbage) {
  ScratchStore scratch;
  auto store = scratch.open();
  ASSERT_TRUE(pull(store, k_name, k_one));
  ASSERT_TRUE(store.images().protect(k_name, Protection::on));
  ASSERT_TRUE(pull(store, k_name, k_two));
  expect_image(store, k_name, k_two);
  expect_clean(scratch, {&k_two});
  EXPECT_EQ(store.images().find(k_name)->protection, Protection::on);
  EXPECT_EQ(list_dir(scratch / ".state/repos/manifests")->size(), 1U);
  ASSERT_TRUE(pull(store, k_name, k_two));
  expect_clean(scratch, {&k_two});
}

TEST(Image, PullOverAnImportedImageReplacesIt) {
  ScratchStore scratch;
  auto store = scratch.open();
  std::string id(64, 'a');
  std::string dir = scratch / "repos/some/image/1.0";
  ASSERT_TRUE(make_dirs(dir));
  for (const char* file : {"/TAG", "/v1"}) ASSERT_TRUE(write_file_atomic(dir + file, ""));
  ASSERT_TRUE(write_file_atomic(dir + "/ancestry", "[\"" + id + "\"]"));
  for (const char* kind : {".layer", ".json"}) {
    ASSERT_TRUE(write_file_atomic(scratch / ("layers/" + id + kind), "{}"));
    ASSERT_TRUE(symlink_at("../../../../layers/" + id + kind, AT_FDCWD, dir + "/" + id + kind));
  }
  ASSERT_TRUE(store.images().load(k_name));
  ASSERT_TRUE(pull(store, k_name, k_one));
  expect_image(store, k_name, k_one);
  expect_clean(scratch, {&k_one});
  EXPECT_EQ(list_dir(dir)->size(), 3U + 3U);
}

TEST(Image, BelowTheTagDirectoryOfAnother) {
  ScratchStore scratch;
  auto store = scratch.open();
  const ImageName outer{"a", "b"};
  const ImageName inner{"a/b", "c"};
  ASSERT_TRUE(pull(store, outer, k_one));
  ASSERT_TRUE(pull(store, inner, k_two));
  std::vector<std::string> names;
  auto list = store.images().list();
  for (const auto& image : *list) names.push_back(image.name.text());
  EXPECT_EQ(names, (std::vector<std::string>{"a:b", "a/b:c"}));
  // Replacing and removing the outer one leaves the inner one alone.
  ASSERT_TRUE(pull(store, outer, k_two));
  expect_image(store, inner, k_two);
  ASSERT_TRUE(store.images().remove(outer, Removal::normal));
  expect_image(store, inner, k_two);
  expect_clean(scratch, {&k_two});
  // And the other way round.
  ASSERT_TRUE(pull(store, outer, k_one));
  ASSERT_TRUE(store.images().remove(inner, Removal::normal));
  expect_image(store, outer, k_one);
  ASSERT_TRUE(store.images().remove(outer, Removal::normal));
  EXPECT_TRUE(tree_of(scratch / "repos").empty());
  expect_clean(scratch, {});
}

TEST(Image, RemoveKeepsSharedBlobsAndOtherTags) {
  ScratchStore scratch;
  auto store = scratch.open();
  const ImageName other{"some/image", "2.0"};
  ASSERT_TRUE(pull(store, k_name, k_one));
  ASSERT_TRUE(pull(store, other, k_two));
  ASSERT_TRUE(store.images().remove(k_name, Removal::normal));
  EXPECT_EQ(store.images().find(k_name).error().code, Code::not_found);
  expect_image(store, other, k_two);
  expect_clean(scratch, {&k_two});
  EXPECT_EQ(store.images().remove(k_name, Removal::normal).error().code, Code::not_found);
  ASSERT_TRUE(store.images().remove(other, Removal::normal));
  expect_clean(scratch, {});
  EXPECT_TRUE(tree_of(scratch / "repos").empty());
}

TEST(Image, ProtectedIsNotRemoved) {
  ScratchStore scratch;
  auto store = scratch.open();
  ASSERT_TRUE(pull(store, k_name, k_one));
  ASSERT_TRUE(store.images().protect(k_name, Protection::on));
  EXPECT_EQ(*read_file(scratch / "repos/some/image/1.0/PROTECT"), "");
  auto refused = store.images().remove(k_name, Removal::force);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_EQ(refused.error().sys_errno, 0);
  ASSERT_TRUE(store.images().protect(k_name, Protection::off));
  ASSERT_TRUE(store.images().protect(k_name, Protection::off));
  EXPECT_TRUE(store.images().remove(k_name, Removal::normal));
  EXPECT_EQ(store.images().protect(k_name, Protection::off).error().code, Code::not_found);
}

TEST(Image, PinKeepsBlobsThroughRemoval) {
  ScratchStore scratch;
  auto store = scratch.open();
  ASSERT_TRUE(pull(store, k_name, k_one));
  {
    auto pinned = store.images().pin(k_name);
    ASSERT_TRUE(pinned);
    ASSERT_TRUE(scratch.open().images().remove(k_name, Removal::normal));
    EXPECT_EQ(tree_of(scratch / "layers"), blobs_of({&k_one}));
    EXPECT_TRUE(store.blobs().verify(*pinned->data.layers[0].digest));
    EXPECT_TRUE(exists(pinned->data.layers[0].path)) << "it can still be read from where the data says";
    EXPECT_TRUE(exists(pinned->data.config_path));
  }
  expect_clean(scratch, {});
}

TEST(Image, ClaimKeepsBlobsThroughRemovalOfAnotherImage) {
  ScratchStore scratch;
  auto store = scratch.open();
  ASSERT_TRUE(pull(store, k_name, k_one));
  auto draft = store.images().begin({"second", "x"});
  ASSERT_TRUE(draft->claim(k_one.manifest()));
  ASSERT_TRUE(scratch.open().images().remove(k_name, Removal::normal));
  ASSERT_TRUE(draft->publish(k_one.manifest()));
  expect_image(store, {"second", "x"}, k_one);
  expect_clean(scratch, {&k_one});
}

TEST(Image, Tag) {
  ScratchStore scratch;
  auto store = scratch.open();
  const ImageName copy{"copy", "v"};
  ASSERT_TRUE(pull(store, k_name, k_one));
  ASSERT_TRUE(store.images().tag(k_name, copy));
  expect_image(store, copy, k_one);
  EXPECT_TRUE(store.images().load(copy)->manifest_digest);
  EXPECT_EQ(*read_file(scratch / "repos/copy/v/TAG"), scratch / "repos/copy:v");
  EXPECT_EQ(store.images().tag(k_name, copy).error().code, Code::exists);
  EXPECT_EQ(store.images().tag({"none", "x"}, {"y", "z"}).error().code, Code::not_found);
  EXPECT_EQ(store.images().tag(k_name, {"../y", "z"}).error().code, Code::usage);
  ASSERT_TRUE(store.images().remove(k_name, Removal::normal));
  expect_image(store, copy, k_one);
  ASSERT_TRUE(store.images().protect(copy, Protection::on));
  EXPECT_EQ(store.images().tag(copy, k_name).error().code, Code::denied);
  expect_clean(scratch, {&k_one});
}

TEST(Image, NamesThatWouldLeaveTheRepositoryAreRefused) {
  ScratchStore scratch;
  auto store = scratch.open();
  for (const ImageName& bad :
       {ImageName{"../x", "t"}, ImageName{"/abs", "t"}, ImageName{"a//b", "t"}, ImageName{"a/../../b", "t"},
        ImageName{"a", ".."}, ImageName{"a", ""}, ImageName{"", "t"}, ImageName{"a\n", "t"}, ImageName{"a", "t\x1b"},
        ImageName{".state", "x"}, ImageName{std::string(256, 'x'), "t"}, ImageName{"a/", "t"},
        ImageName{"a", "b/../c"}}) {
    EXPECT_EQ(store.images().begin(bad).error().code, Code::usage) << bad.text();
    EXPECT_EQ(store.images().find(bad).error().code, Code::usage) << bad.text();
    EXPECT_EQ(store.images().remove(bad, Removal::force).error().code, Code::usage) << bad.text();
  }
  EXPECT_EQ(list_dir(scratch.paths().top)->size(), 6U);  // not even .state
}

TEST(Image, FindTakesAllNotations) {
  ScratchStore scratch;
  auto store = scratch.open();
  std::string digest = "sha256:" + std::string(64, 'd');
  for (const ImageName& name : {ImageName{"busybox", "latest"}, ImageName{"localhost:5000/a", "t"},
                                ImageName{"host", "5000/b/c:t"}, ImageName{"a/b", digest}})
    ASSERT_TRUE(pull(store, name, k_one)) << name.text();
  auto found = [&](const std::string& text) {
    auto entry = store.images().find(text);
    return entry ? entry->name.text() : entry.error().text;
  };
  EXPECT_EQ(found("busybox"), "busybox:latest");
  EXPECT_EQ(found("localhost:5000/a:t"), "localhost:5000/a:t");
  EXPECT_EQ(found("host:5000/b/c:t"), "host:5000/b/c:t");
  EXPECT_EQ(found("a/b@" + digest), "a/b:" + digest);
  EXPECT_EQ(found("a/b:" + digest), "a/b:" + digest);
  EXPECT_EQ(store.images().find("nothing:here").error().code, Code::not_found);
  EXPECT_EQ(store.images().find("../x").error().code, Code::usage);
}

TEST(Image, LongNames) {
  ScratchStore scratch;
  auto store = scratch.open();
  std::string part(255, 'p');
  ImageName name{part + "/" + part + "/" + part, std::string(128, 't')};
  ASSERT_TRUE(pull(store, name, k_one));
  expect_image(store, name, k_one);
  ASSERT_TRUE(pull(store, name, k_two));
  ASSERT_TRUE(store.images().remove(name, Removal::normal));
  expect_clean(scratch, {});
}

TEST(Image, BrokenOnesSayWhatIsWrong) {
  ScratchStore scratch;
  auto store = scratch.open();
  ASSERT_TRUE(pull(store, k_name, k_one));
  ASSERT_TRUE(unlink_at(AT_FDCWD, store.blobs().path(image::Digest::of(k_one.layers[1]))));
  EXPECT_EQ(store.images().load(k_name).error().code, Code::not_found);
  ASSERT_TRUE(pull(store, k_name, k_one));
  ASSERT_TRUE(write_file_atomic(store.blobs().path(image::Digest::of(k_one.config)), "{}"));
  EXPECT_EQ(store.images().load(k_name).error().code, Code::corrupt);
  ASSERT_TRUE(write_file_atomic(scratch / "repos/some/image/1.0/manifest", "{broken"));
  EXPECT_EQ(store.images().load(k_name).error().code, Code::corrupt);
  EXPECT_EQ(store.images().platform(k_name), "unknown/unknown");
  ASSERT_TRUE(pull(store, k_name, k_one));
  expect_image(store, k_name, k_one);
}

TEST(Image, PartsMovedElsewhere) {
  udk::test::TempDir dir;
  Paths paths = Paths::under(dir / "top");
  paths.layers = dir / "elsewhere/layers";
  ASSERT_TRUE(make_dirs(dir / "disk2/repos"));
  ASSERT_TRUE(make_dirs(paths.top));
  ASSERT_TRUE(symlink_at(dir / "disk2/repos", AT_FDCWD, paths.repos));
  ASSERT_TRUE(create_repository(paths));
  auto store = *Store::open(paths);
  ASSERT_TRUE(pull(store, k_name, k_one));
  expect_image(store, k_name, k_one);
  ASSERT_TRUE(pull(store, k_name, k_two));
  ASSERT_TRUE(store.images().remove(k_name, Removal::normal));
  EXPECT_TRUE(tree_of(paths.layers) == std::vector<std::string>{".state/"}) << join(tree_of(paths.layers), " ");
}

TEST(Image, ListFollowsLinksToImagesOnly) {
  ScratchStore scratch;
  auto store = scratch.open();
  ASSERT_TRUE(pull(store, k_name, k_one));
  ScratchStore shared;
  ASSERT_TRUE(pull(shared.open(), k_name, k_two));
  auto repos = scratch.paths().repos;
  ASSERT_TRUE(symlink_at(shared.paths().repos, AT_FDCWD, repos + "/shared"));
  ASSERT_TRUE(symlink_at(shared.paths().top, AT_FDCWD, shared.paths().repos + "/again"));
  for (const auto& [name, target] : std::vector<std::pair<std::string, std::string>>{
           {"top", "/"}, {"above", ".."}, {"itself", "."}, {"loop", "loop"}, {"nothing", "nowhere"}})
    ASSERT_TRUE(symlink_at(target, AT_FDCWD, path_join(repos, name)));
  auto list = store.images().list();
  ASSERT_TRUE(list);
  std::vector<std::string> names;
  for (const auto& entry : *list) names.push_back(entry.name.text());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"shared/" + k_name.text(), k_name.text()}));
}

// Every state that a killed process can leave.

TEST(ImageKilled, WhilePulledFirst) {
  for (int step = 1;; ++step) {
    ScratchStore scratch(test::Where::memory);
    auto store = scratch.open();
    bool killed = test::killed_at(step, [&] { (void)pull(store, k_name, k_one); });
    auto entry = store.images().find(k_name);
    if (entry) expect_image(store, k_name, k_one);
    for (const auto& digest : {image::Digest::of(k_one.config), image::Digest::of(k_one.layers[0])})
      EXPECT_TRUE(!store.blobs().has(digest) || store.blobs().verify(digest));
    auto again = pull(store, k_name, k_one);
    ASSERT_TRUE(again) << "step " << step << ": " << again.error().text;
    expect_image(store, k_name, k_one);
    expect_clean(scratch, {&k_one});
    if (::testing::Test::HasFailure()) FAIL() << "killed before step " << step;
    if (!killed) break;
  }
}

TEST(ImageKilled, WhileReplaced) {
  for (int step = 1;; ++step) {
    ScratchStore scratch(test::Where::memory);
    auto store = scratch.open();
    ASSERT_TRUE(pull(store, k_name, k_one));
    bool killed = test::killed_at(step, [&] { (void)pull(store, k_name, k_two); });
    auto image = store.images().load(k_name);
    ASSERT_TRUE(image) << "step " << step << ": " << image.error().text;
    expect_image(store, k_name, image->config == k_one.config ? k_one : k_two);
    ASSERT_TRUE(pull(store, k_name, k_two));
    expect_image(store, k_name, k_two);
    expect_clean(scratch, {&k_two});
    if (::testing::Test::HasFailure()) FAIL() << "killed before step " << step;
    if (!killed) break;
  }
}

TEST(ImageKilled, WhileRemoved) {
  for (int step = 1;; ++step) {
    ScratchStore scratch(test::Where::memory);
    auto store = scratch.open();
    const ImageName other{"other", "x"};
    ASSERT_TRUE(pull(store, k_name, k_one));
    ASSERT_TRUE(pull(store, other, k_two));
    bool killed = test::killed_at(step, [&] { (void)store.images().remove(k_name, Removal::normal); });
    if (store.images().find(k_name)) {
      expect_image(store, k_name, k_one);
      ASSERT_TRUE(store.images().remove(k_name, Removal::normal));
    }
    store.sweep();
    expect_image(store, other, k_two);
    expect_clean(scratch, {&k_two});
    EXPECT_EQ(list_dir(scratch / "repos")->size(), 1U);
    if (::testing::Test::HasFailure()) FAIL() << "killed before step " << step;
    if (!killed) break;
  }
}

}  // namespace
}  // namespace udk::store
