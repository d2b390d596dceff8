#include <sys/stat.h>

#include "unit/store/scratch_store.hpp"

namespace udk::store {
namespace {

using test::ScratchStore;

const std::string k_text = "the quick brown fox";
const image::Digest k_digest = image::Digest::of(k_text);

TEST(Blob, StageAndCommit) {
  ScratchStore scratch;
  auto blobs = scratch.open().blobs();
  EXPECT_FALSE(blobs.has(k_digest));
  auto staged = blobs.stage(k_digest, k_text.size());
  ASSERT_TRUE(staged && *staged);
  ASSERT_TRUE((*staged)->write(as_bytes(k_text.substr(0, 5))));
  ASSERT_TRUE((*staged)->write(as_bytes(k_text.substr(5))));
  EXPECT_TRUE(list_dir(scratch / "layers")->empty());
  ASSERT_TRUE((*staged)->commit());
  EXPECT_TRUE(blobs.has(k_digest, k_text.size()));
  EXPECT_FALSE(blobs.has(k_digest, k_text.size() + 1));
  EXPECT_TRUE(blobs.verify(k_digest));
  EXPECT_EQ(*read_file(scratch / ("layers/" + k_digest.text())), k_text);
  EXPECT_FALSE(*blobs.stage(k_digest, k_text.size()));
}

TEST(Blob, ResumesWhereTheLastOneStopped) {
  ScratchStore scratch;
  auto blobs = scratch.open().blobs();
  {
    auto first = blobs.stage(k_digest, k_text.size());
    ASSERT_TRUE((*first)->write(as_bytes(k_text.substr(0, 7))));
  }
  auto second = blobs.stage(k_digest, k_text.size());
  ASSERT_EQ((*second)->offset(), 7U);
  ASSERT_TRUE((*second)->write(as_bytes(k_text.substr(7))));
  ASSERT_TRUE((*second)->commit());
  EXPECT_TRUE(blobs.verify(k_digest));
  EXPECT_TRUE(list_dir(scratch / ".state/layers")->empty());
}

// Writes go to the file in large pieces; what they are cut into must not show.
TEST(Blob, PiecesOfAllSizes) {
  ScratchStore scratch;
  auto blobs = scratch.open().blobs();
  std::string content(1'500'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 + i / 251);
  const auto digest = image::Digest::of(content);
  std::size_t written = 0;
  auto write = [&](StagedBlob& staged, std::size_t size) {
    ASSERT_TRUE(staged.write(as_bytes(content).subspan(written, size)));
    written += size;
    ASSERT_EQ(staged.offset(), written);
  };
  {
    auto first = blobs.stage(digest, content.size());
    write(**first, 1);
    write(**first, 16'384);
    write(**first, 700'000);
    write(**first, 0);
    write(**first, 5);
  }
  auto second = blobs.stage(digest, content.size());
  ASSERT_EQ((*second)->offset(), written);
  write(**second, 16'384);
  write(**second, content.size() - written);
  ASSERT_TRUE((*second)->commit());
  EXPECT_EQ(*read_file(blobs.path(digest)), content);
}

TEST(Blob, RestartForgetsWhatIsNotInTheFileYet) {
  ScratchStore scratch;
  auto blobs = scratch.open().blobs();
  auto staged = blobs.stage(k_digest, k_text.size());
  ASSERT_TRUE((*staged)->write(as_bytes(k_text.substr(0, 7))));
  ASSERT_TRUE((*staged)->restart());
  EXPECT_EQ((*staged)->offset(), 0U);
  ASSERT_TRUE((*staged)->write(as_bytes(k_text)));
  ASSERT_TRUE((*staged)->commit());
  EXPECT_EQ(*read_file(blobs.path(k_digest)), k_text);
}

TEST(Blob, WrongContentIsThrownAway) {
  ScratchStore scratch;
  auto blobs = scratch.open().blobs();
  std::string wrong = k_text;
  wrong[3] = '!';
  auto staged = blobs.stage(k_digest, k_text.size());
  ASSERT_TRUE((*staged)->write(as_bytes(wrong)));
  EXPECT_EQ((*staged)->commit().error().code, Code::corrupt);
  EXPECT_FALSE(blobs.has(k_digest));
  staged = {};
  staged = blobs.stage(k_digest, k_text.size());
  EXPECT_EQ((*staged)->offset(), 0U);
  EXPECT_EQ((*staged)->write(as_bytes(k_text + "x")).error().code, Code::corrupt);
  ASSERT_TRUE((*staged)->restart());
  ASSERT_TRUE((*staged)->write(as_bytes(k_text.substr(1))));
  EXPECT_EQ((*staged)->commit().error().code, Code::corrupt);
}

TEST(Blob, BogusBlobOfThePythonToolIsReplaced) {
  ScratchStore scratch;
  auto blobs = scratch.open().blobs();
  ASSERT_TRUE(write_file_atomic(blobs.path(k_digest), "bogus"));
  EXPECT_EQ(blobs.verify(k_digest).error().code, Code::corrupt);
  ASSERT_TRUE(blobs.add(k_digest, k_text));
  EXPECT_TRUE(blobs.verify(k_digest));
  // Of the right size too.
  ASSERT_TRUE(write_file_atomic(blobs.path(k_digest), std::string(k_text.size(), '?')));
  EXPECT_TRUE(blobs.has(k_digest, k_text.size()));
  ASSERT_TRUE(blobs.add(k_digest, k_text));
  EXPECT_TRUE(blobs.verify(k_digest));
}

TEST(Blob, HeldByAnother) {
  ScratchStore scratch;
  auto one = scratch.open();
  auto other = scratch.open();
  auto staged = one.blobs().stage(k_digest, k_text.size());
  auto busy = other.blobs().stage(k_digest, k_text.size(), IfHeld::fail);
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().code, Code::busy);
  staged = {};
  EXPECT_TRUE(other.blobs().stage(k_digest, k_text.size(), IfHeld::fail));
}

TEST(Blob, PartialThatIsNoFileIsRefused) {
  ScratchStore scratch;
  ASSERT_TRUE(make_dirs(scratch / ".state/layers"));
  std::string partial = scratch / (".state/layers/" + k_digest.text() + ".partial");
  ASSERT_TRUE(symlink_at("/etc/passwd", AT_FDCWD, partial));
  EXPECT_FALSE(scratch.open().blobs().stage(k_digest, k_text.size()));
  ASSERT_TRUE(unlink_at(AT_FDCWD, partial));
  ASSERT_EQ(::mkfifo(partial.c_str(), 0600), 0);
  EXPECT_FALSE(scratch.open().blobs().stage(k_digest, k_text.size()));
}

TEST(Blob, SweepRemovesOldPartials) {
  ScratchStore scratch;
  auto store = scratch.open();
  { auto staged = store.blobs().stage(k_digest, k_text.size()); }
  store.sweep();
  EXPECT_EQ(list_dir(scratch / ".state/layers")->size(), 1U);
  {
    auto held = store.blobs().stage(k_digest, k_text.size());
    store.sweep(std::chrono::seconds(0));
    EXPECT_TRUE(exists(scratch / (".state/layers/" + k_digest.text() + ".partial")));
  }
  store.sweep(std::chrono::seconds(0));
  EXPECT_TRUE(list_dir(scratch / ".state/layers")->empty());
}

}  // namespace
}  // namespace udk::store
