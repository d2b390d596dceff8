// What a tree looks like after layers were applied.
#include "archive/apply.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "base/file.hpp"
#include "base/scope.hpp"
#include "unit/archive/apply_fixture.hpp"
#include "unit/archive/tar_builder.hpp"

namespace udk::archive {
namespace {

using test::ApplyFixture;
using test::Listing;
using test::TarBuilder;
using testing::HasSubstr;

struct stat stat_of(const std::string& path) {
  struct stat st {};
  EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
  return st;
}

Listing applied(const std::vector<std::string>& layers) {
  ApplyFixture tree;
  auto done = tree.apply(layers);
  EXPECT_TRUE(done) << done.error().text;
  return tree.list();
}

std::string failure_of(const std::vector<std::string>& layers) {
  ApplyFixture tree;
  auto done = tree.apply(layers);
  EXPECT_FALSE(done);
  return done ? "" : done.error().text;
}

TEST(Apply, makes_every_type) {
  ApplyFixture tree;
  auto done = tree.apply({TarBuilder()
                              .dir("./")
                              .dir("etc/")
                              .file("etc/passwd", "root\n")
                              .symlink("etc/link", "/etc/passwd")
                              .hardlink("etc/hard", "etc/passwd")
                              .add({.path = "run/fifo", .type = '6', .mode = 0622})
                              .add({.path = "run/null", .type = '3', .mode = 0666})
                              .add({.path = "run/disk", .type = '4', .mode = 0666})
                              .finish()});
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(tree.list(), (Listing{{"etc", "d 755"},
                                  {"etc/passwd", "f 644 root\n"},
                                  {"etc/link", "l -> /etc/passwd"},
                                  {"etc/hard", "f 644 root\n"},
                                  {"run", "d 755"},
                                  {"run/fifo", "p 622"}}));
  EXPECT_EQ(stat_of(tree.path("etc/hard")).st_ino, stat_of(tree.path("etc/passwd")).st_ino);
  EXPECT_EQ(done->entries, 8U);
  EXPECT_EQ(done->files, 1U);
  EXPECT_EQ(done->content_bytes, 5U);
  EXPECT_EQ(done->skipped_devices, 2U);
  EXPECT_TRUE(tree.owners.empty());
}

TEST(Apply, reads_every_compression) {
  const std::string tar = TarBuilder().file("a", std::string(300000, 'x')).finish();
  for (const std::string& layer : {tar, test::gzip(tar), test::zstd(tar), test::xz(tar), test::bzip2(tar)})
    EXPECT_EQ(applied({layer})["a"].size(), 300006U);
  EXPECT_THAT(failure_of({"PK\x03\x04 this is no layer"}), HasSubstr("layer 1: unknown compression"));
}

TEST(Apply, gives_the_same_with_a_second_thread) {
  TarBuilder tar;
  for (int i = 0; i < 300; ++i) tar.file("d/" + std::to_string(i), std::string(static_cast<std::size_t>(i) * 37, 'y'));
  const std::string layer = test::gzip(tar.finish());
  ApplyFixture plain;
  ApplyFixture pipelined;
  pipelined.options.threads = Threads::pipeline;
  auto one = plain.apply({layer, layer});
  auto two = pipelined.apply({layer, layer});
  ASSERT_TRUE(one && two);
  EXPECT_EQ(plain.list(), pipelined.list());
  EXPECT_EQ(one->layers[1].diff_id, two->layers[1].diff_id);
  EXPECT_FALSE(pipelined.apply({layer.substr(0, layer.size() / 2)}));
}

TEST(Apply, keeps_times_of_files_links_and_directories) {
  ApplyFixture tree;
  auto done = tree.apply({TarBuilder()
                              .add({.path = ".", .type = '5', .mode = 0755, .mtime = 1111})
                              .add({.path = "d", .type = '5', .mode = 0755, .mtime = 2222})
                              .add({.path = "d/f", .content = "x", .mtime = -3333})
                              .add({.path = "d/l", .type = '2', .link = "f", .mtime = 4444})
                              .pax({{"mtime", "5555.123456789"}})
                              .add({.path = "d/p"})
                              .finish()});
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(stat_of(tree.root()).st_mtim.tv_sec, 1111);
  EXPECT_EQ(stat_of(tree.path("d")).st_mtim.tv_sec, 2222);
  EXPECT_EQ(stat_of(tree.path("d/f")).st_mtim.tv_sec, -3333);
  EXPECT_EQ(stat_of(tree.path("d/l")).st_mtim.tv_sec, 4444);
  EXPECT_EQ(stat_of(tree.path("d/p")).st_mtim.tv_sec, 5555);
  EXPECT_EQ(stat_of(tree.path("d/p")).st_mtim.tv_nsec, 123456789);
}

TEST(Apply, the_last_layer_that_names_a_directory_gives_it_its_time) {
  ApplyFixture tree;
  auto first = TarBuilder()
                   .add({.path = "d", .type = '5', .mode = 0700, .mtime = 1000})
                   .add({.path = "e", .type = '5', .mode = 0700, .mtime = 1000})
                   .finish();
  auto second = TarBuilder().add({.path = "d", .type = '5', .mode = 0751, .mtime = 2000}).file("d/f").file("e/f");
  ASSERT_TRUE(tree.apply({first, second.finish()}));
  EXPECT_EQ(stat_of(tree.path("d")).st_mtim.tv_sec, 2000);
  EXPECT_EQ(stat_of(tree.path("e")).st_mtim.tv_sec, 1000);
  EXPECT_EQ(tree.list()["d"], "d 751");
}

TEST(Apply, modes_are_kept_whatever_the_umask) {
  for (mode_t mask : {0022U, 0077U, 0U, 0777U}) {
    UmaskScope umask(mask);
    Listing tree = applied({TarBuilder()
                                .file("i/mplied", "", 0666)
                                .dir("tmp", 01777)
                                .file("x", "", 0777)
                                .add({.path = "p", .type = '6', .mode = 0666})
                                .finish()});
    EXPECT_EQ(tree,
              (Listing{{"i", "d 755"}, {"i/mplied", "f 666 "}, {"tmp", "d 1777"}, {"x", "f 777 "}, {"p", "p 666"}}))
        << mask;
  }
}

TEST(Apply, widens_modes_so_that_the_user_can_delete_and_records_the_true_ones) {
  ApplyFixture tree;
  ASSERT_TRUE(tree.apply({TarBuilder()
                              .dir("ro", 0555)
                              .file("ro/f", "", 0444)
                              .file("none", "", 0)
                              .file("su", "", 04755)
                              .dir("mail", 02775)
                              .file("sticky", "", 01644)
                              .finish()}));
  EXPECT_EQ(tree.list(), (Listing{{"ro", "d 755"},
                                  {"ro/f", "f 644 "},
                                  {"none", "f 600 "},
                                  {"su", "f 755 "},
                                  {"mail", "d 775"},
                                  {"sticky", "f 644 "}}));
  EXPECT_EQ(tree.owners.find("ro"), (Ownership{0, 0, 0555}));
  EXPECT_EQ(tree.owners.find("ro/f"), (Ownership{0, 0, 0444}));
  EXPECT_EQ(tree.owners.find("none"), (Ownership{0, 0, 0}));
  EXPECT_EQ(tree.owners.find("su"), (Ownership{0, 0, 04755}));
  EXPECT_EQ(tree.owners.find("mail"), (Ownership{0, 0, 02775}));
  EXPECT_EQ(tree.owners.find("sticky"), (Ownership{0, 0, 01644}));
}

TEST(Apply, records_owners_and_forgets_those_of_what_is_gone) {
  ApplyFixture tree;
  auto first = TarBuilder()
                   .add({.path = "home/u", .type = '5', .mode = 0700, .uid = 1000, .gid = 1000})
                   .add({.path = "home/u/f", .uid = 1000, .gid = 1000})
                   .add({.path = "home/u/l", .type = '2', .link = "f", .mode = 0777, .uid = 1000})
                   .add({.path = "home/u/h", .type = '1', .link = "home/u/f"})
                   .add({.path = "keep", .uid = 4'000'000'000, .gid = 7})
                   .add({.path = "replaced", .uid = 5})
                   .add({.path = ".", .type = '5', .mode = 0755, .gid = 3})
                   .finish();
  ASSERT_TRUE(tree.apply({first}));
  EXPECT_EQ(tree.owners.size(), 7U);
  EXPECT_EQ(tree.owners.find("home/u/l"), (Ownership{1000, 0, 0777}));
  EXPECT_EQ(tree.owners.find("home/u/h"), (Ownership{1000, 1000, 0644}));
  EXPECT_EQ(tree.owners.find("keep"), (Ownership{4'000'000'000, 7, 0644}));
  EXPECT_EQ(tree.owners.find(""), (Ownership{0, 3, 0755}));
  ASSERT_TRUE(tree.apply({TarBuilder().file("home/.wh.u").file("replaced").finish()}));
  EXPECT_EQ(tree.owners.size(), 2U);
  EXPECT_TRUE(tree.owners.find("keep"));
}

TEST(Apply, whiteouts_hide_lower_layers) {
  auto lower = TarBuilder().file("a").file("d/x").file("d/y/z").symlink("l", "d").file("keep").finish();
  auto upper = TarBuilder().file(".wh.a").file("d/.wh.y").file(".wh.l").file(".wh.missing").file("no/.wh.dir").finish();
  EXPECT_EQ(applied({lower, upper}), (Listing{{"d", "d 755"}, {"d/x", "f 644 "}, {"keep", "f 644 "}}));
}

TEST(Apply, a_whiteout_spares_its_own_layer_wherever_it_stands) {
  auto lower = TarBuilder().file("a", "old").dir("d", 0700).file("d/old", "old").dir("d/s").file("d/s/old").finish();
  const Listing expected{
      {"a", "f 644 new"}, {"d", "d 755"}, {"d/new", "f 644 new"}, {"d/s", "d 755"}, {"d/s/n", "f 644 "}};
  EXPECT_EQ(
      applied({lower,
               TarBuilder().file(".wh.a").file(".wh.d").file("a", "new").file("d/new", "new").file("d/s/n").finish()}),
      expected);
  EXPECT_EQ(
      applied({lower,
               TarBuilder().file("a", "new").file("d/new", "new").file("d/s/n").file(".wh.a").file(".wh.d").finish()}),
      expected);
}

TEST(Apply, an_opaque_directory_hides_all_below_it_and_nothing_of_its_own_layer) {
  auto lower = TarBuilder().dir("d", 0700).file("d/old").dir("d/s", 0700).file("d/s/old").file("other").finish();
  const Listing expected{
      {"d", "d 700"}, {"d/new", "f 644 "}, {"d/s", "d 755"}, {"d/s/n", "f 644 "}, {"other", "f 644 "}};
  EXPECT_EQ(applied({lower, TarBuilder().file("d/.wh..wh..opq").file("d/new").file("d/s/n").finish()}), expected);
  EXPECT_EQ(applied({lower, TarBuilder().file("d/new").file("d/s/n").file("d/.wh..wh..opq").finish()}), expected);
}

TEST(Apply, an_opaque_top_directory_hides_everything) {
  auto lower = TarBuilder().file("a").file("d/x").finish();
  EXPECT_EQ(applied({lower, TarBuilder().file("n").file(".wh..wh..opq").finish()}), (Listing{{"n", "f 644 "}}));
}

TEST(Apply, an_opaque_mark_does_not_empty_what_a_lower_symlink_points_to) {
  auto lower = TarBuilder().file("usr/lib/x").symlink("lib", "usr/lib").finish();
  const Listing expected{
      {"lib", "d 755"}, {"lib/y", "f 644 "}, {"usr", "d 755"}, {"usr/lib", "d 755"}, {"usr/lib/x", "f 644 "}};
  EXPECT_EQ(applied({lower, TarBuilder().file("lib/.wh..wh..opq").dir("lib").file("lib/y").finish()}), expected);
  EXPECT_EQ(applied({lower, TarBuilder().dir("lib").file("lib/y").file("lib/.wh..wh..opq").finish()}), expected);
}

TEST(Apply, whiteouts_of_the_first_layer_do_nothing) {
  EXPECT_EQ(applied({TarBuilder().file("a").file(".wh.a").file("d/x").file("d/.wh..wh..opq").finish()}),
            (Listing{{"a", "f 644 "}, {"d", "d 755"}, {"d/x", "f 644 "}}));
}

TEST(Apply, what_was_in_the_tree_before_is_a_lower_layer) {
  ApplyFixture tree;
  ASSERT_TRUE(tree.apply({TarBuilder().file("a").file("b").finish()}));
  ASSERT_TRUE(tree.apply({TarBuilder().file(".wh.a").finish()}));
  EXPECT_EQ(tree.list(), (Listing{{"b", "f 644 "}}));
}

TEST(Apply, odd_whiteouts) {
  for (const char* name : {".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..", "d/.wh..."})
    EXPECT_THAT(failure_of({TarBuilder().file("d/x").finish(), TarBuilder().file(name).finish()}),
                HasSubstr("layer 2: the archive holds the invalid whiteout"))
        << name;
  auto lower = TarBuilder().file("a").file("d/x").finish();
  auto upper = TarBuilder()
                   .file(".wh..wh.aufs")
                   .dir(".wh..wh.orph")
                   .file(".wh..wh.orph/1")
                   .dir(".wh.d")
                   .file(".wh.d/x")
                   .file("a/b/../c")
                   .finish();
  EXPECT_THAT(failure_of({lower, upper}), HasSubstr("leads upwards"));
  EXPECT_EQ(
      applied({lower,
               TarBuilder().file(".wh..wh.aufs").dir(".wh..wh.orph").file(".wh..wh.orph/1").file(".wh.q/x").finish()}),
      (Listing{{"a", "f 644 "}, {"d", "d 755"}, {"d/x", "f 644 "}}));
}

TEST(Apply, hard_links_into_the_link_store_of_aufs_work_and_the_store_vanishes) {
  auto layer = TarBuilder()
                   .dir(".wh..wh.plnk", 0700)
                   .file(".wh..wh.plnk/12.34", "linked")
                   .hardlink("a", ".wh..wh.plnk/12.34")
                   .hardlink("d/b", "/.wh..wh.plnk/12.34")
                   .finish();
  EXPECT_EQ(applied({layer, layer}), (Listing{{"a", "f 644 linked"}, {"d", "d 755"}, {"d/b", "f 644 linked"}}));
}

TEST(Apply, types_replace_one_another_without_a_whiteout) {
  auto lower = TarBuilder().dir("x").file("x/deep/file").dir("y").file("z").symlink("s", "x").file("f", "old").finish();
  auto upper = TarBuilder()
                   .file("x", "file")
                   .symlink("y", "x")
                   .dir("z")
                   .file("z/in", "")
                   .dir("s")
                   .add({.path = "f", .type = '3'})
                   .finish();
  EXPECT_EQ(applied({lower, upper}),
            (Listing{{"x", "f 644 file"}, {"y", "l -> x"}, {"z", "d 755"}, {"z/in", "f 644 "}, {"s", "d 755"}}));
  EXPECT_EQ(applied({TarBuilder().file("p").finish(), TarBuilder().file("p/q/r").finish()}),
            (Listing{{"p", "d 755"}, {"p/q", "d 755"}, {"p/q/r", "f 644 "}}));
}

TEST(Apply, replacing_a_hard_linked_file_leaves_the_other_names_alone) {
  EXPECT_EQ(
      applied({TarBuilder().file("a", "old").hardlink("b", "a").finish(), TarBuilder().file("a", "new").finish()}),
      (Listing{{"a", "f 644 new"}, {"b", "f 644 old"}}));
}

TEST(Apply, hard_links_reach_into_lower_layers_and_to_symlinks) {
  ApplyFixture tree;
  auto lower = TarBuilder().file("usr/bin/a", "content").symlink("usr/bin/s", "a").symlink("bin", "usr/bin").finish();
  auto upper = TarBuilder().hardlink("h", "usr/bin/a").hardlink("hs", "usr/bin/s").hardlink("hb", "/bin/a").finish();
  auto done = tree.apply({lower, upper});
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(tree.list()["h"], "f 644 content");
  EXPECT_EQ(tree.list()["hs"], "l -> a");
  EXPECT_EQ(tree.list()["hb"], "f 644 content");
  EXPECT_EQ(stat_of(tree.path("hb")).st_nlink, 3U);
  EXPECT_EQ(stat_of(tree.path("hs")).st_nlink, 2U);
}

TEST(Apply, a_hard_link_without_target_is_an_error) {
  EXPECT_THAT(failure_of({TarBuilder().hardlink("a", "missing").finish()}),
              HasSubstr("whose target missing is missing"));
  EXPECT_THAT(failure_of({TarBuilder().hardlink("a", "no/dir").finish()}), HasSubstr("whose target no/dir is missing"));
  EXPECT_THAT(failure_of({TarBuilder().hardlink("a", "a").finish()}), HasSubstr("whose target a is missing"));
  EXPECT_THAT(failure_of({TarBuilder().dir("d").hardlink("a", "d").finish()}), HasSubstr("is a directory"));
  EXPECT_THAT(failure_of({TarBuilder().hardlink("a", ".").finish()}), HasSubstr("is a directory"));
  EXPECT_EQ(applied({TarBuilder().file("a", "x").hardlink("a", "a").finish()}), (Listing{{"a", "f 644 x"}}));
}

TEST(Apply, symlinked_parents_are_followed_inside_the_tree) {
  auto lower = TarBuilder()
                   .dir("usr/lib")
                   .symlink("lib", "usr/lib")
                   .symlink("abs", "/usr/lib")
                   .symlink("up", "../../../../usr")
                   .symlink("usr/rel", "./../usr/lib/.")
                   .symlink("dangling", "new/place")
                   .finish();
  auto upper = TarBuilder()
                   .file("lib/a")
                   .file("abs/b")
                   .file("up/lib/c")
                   .file("usr/rel/d")
                   .file("dangling/e")
                   .file("lib/sub/f")
                   .finish();
  Listing tree = applied({lower, upper});
  for (const char* name : {"a", "b", "c", "d", "sub/f"})
    EXPECT_EQ(tree["usr/lib/" + std::string(name)], "f 644 ") << name;
  EXPECT_EQ(tree["new/place/e"], "f 644 ");
  EXPECT_EQ(tree["lib"], "l -> usr/lib");
  EXPECT_EQ(applied({lower, upper, TarBuilder().file("lib/.wh.a").file("abs/sub/.wh.f").finish()}).count("usr/lib/a"),
            0U);
}

TEST(Apply, a_loop_of_symlinks_is_an_error) {
  EXPECT_THAT(failure_of({TarBuilder().symlink("a", "b").symlink("b", "a").file("a/f").finish()}),
              HasSubstr("too many symbolic links"));
}

TEST(Apply, the_last_of_two_members_with_one_name_wins) {
  EXPECT_EQ(
      applied(
          {TarBuilder().file("a", "1").file("a", "2").dir("d").file("d").symlink("s", "x").file("s", "f").finish()}),
      (Listing{{"a", "f 644 2"}, {"d", "f 644 "}, {"s", "f 644 f"}}));
}

TEST(Apply, the_content_of_dev_is_left_out) {
  auto lower = TarBuilder()
                   .dir("dev", 0700)
                   .file("dev/x")
                   .dir("dev/pts")
                   .symlink("dev/fd", "/proc/self/fd")
                   .symlink("d", "dev")
                   .hardlink("h", "dev/x")
                   .file("usr/dev/y")
                   .finish();
  EXPECT_EQ(
      applied({lower, TarBuilder().file("d/z").file("dev/.wh.x").finish()}),
      (Listing{{"d", "l -> dev"}, {"dev", "d 700"}, {"usr", "d 755"}, {"usr/dev", "d 755"}, {"usr/dev/y", "f 644 "}}));
}

TEST(Apply, takes_names_in_all_spellings) {
  EXPECT_EQ(applied({TarBuilder().file("/abs").file("./dot").file("a//b/./c").dir("/").file("z", "").finish()}),
            (Listing{{"abs", "f 644 "},
                     {"dot", "f 644 "},
                     {"a", "d 755"},
                     {"a/b", "d 755"},
                     {"a/b/c", "f 644 "},
                     {"z", "f 644 "}}));
  const std::string odd = "F\xc5\x91tan\xc3\xbas \xff\xfe\n\t";
  EXPECT_EQ(applied({TarBuilder().file(odd).pax({{"path", odd + "2"}}).file("x").finish()}),
            (Listing{{odd, "f 644 "}, {odd + "2", "f 644 "}}));
}

TEST(Apply, refuses_names_that_are_none) {
  EXPECT_THAT(failure_of({TarBuilder().file("../x").finish()}), HasSubstr("leads upwards"));
  EXPECT_THAT(failure_of({TarBuilder().file("a/../../x").finish()}), HasSubstr("leads upwards"));
  EXPECT_THAT(failure_of({TarBuilder().hardlink("x", "../y").finish()}), HasSubstr("leads upwards"));
  EXPECT_THAT(failure_of({TarBuilder().file("").finish()}), HasSubstr("no name"));
  EXPECT_THAT(failure_of({TarBuilder().symlink("x", "").finish()}), HasSubstr("without a valid target"));
  EXPECT_THAT(failure_of({TarBuilder().file(".").finish()}), HasSubstr("in the place of the root"));
  EXPECT_THAT(failure_of({TarBuilder().symlink("./", "/etc").finish()}), HasSubstr("in the place of the root"));
  EXPECT_THAT(failure_of({TarBuilder().file(std::string(300, 'n')).finish()}), HasSubstr("File name too long"));
}

TEST(Apply, checks_digests) {
  const std::string tar = TarBuilder().file("a", "x").finish() + std::string(2048, '\0') + "what follows counts too";
  const std::string packed = test::gzip(tar);
  auto run = [&](const std::string& diff_id, const std::string& digest) {
    ApplyFixture tree;
    LayerInput layer{std::make_unique<MemorySource>(as_bytes(packed)), "L", image::Digest::of(digest), {}};
    layer.diff_id = image::Digest::of(diff_id, HashKind::sha512);
    Fd root = open_dir(tree.root()).value();
    return apply_layers(std::span(&layer, 1), root.get(), {}, tree.owners);
  };
  auto right = run(tar, packed);
  ASSERT_TRUE(right) << right.error().text;
  EXPECT_EQ(right->layers[0].diff_id, image::Digest::of(tar, HashKind::sha512).text());
  EXPECT_EQ(right->layers[0].stored_bytes, packed.size());
  EXPECT_EQ(right->layers[0].tar_bytes, tar.size());
  auto wrong_plain = run(tar.substr(1), packed);
  ASSERT_FALSE(wrong_plain);
  EXPECT_EQ(wrong_plain.error().code, Code::corrupt);
  EXPECT_THAT(wrong_plain.error().text, HasSubstr("layer L: the digest of its content is sha512:"));
  auto wrong_stored = run(tar, tar);
  ASSERT_FALSE(wrong_stored);
  EXPECT_THAT(wrong_stored.error().text, HasSubstr("its digest is sha256:"));
}

TEST(Apply, keeps_to_its_limits) {
  auto error_with = [](auto change, const std::string& layer) {
    ApplyFixture tree;
    change(tree.options.limits);
    auto done = tree.apply({layer, layer});
    EXPECT_FALSE(done);
    return done ? Error() : done.error();
  };
  const std::string layer = TarBuilder().file("a/b/c", std::string(5000, 'x')).file("d").finish();
  EXPECT_THAT(error_with([](Limits& l) { l.bytes = 7000; }, layer).text, HasSubstr("more than the 7000 bytes"));
  EXPECT_THAT(error_with([](Limits& l) { l.bytes = 12000; }, layer).text, HasSubstr("layer 2: it unpacks to more"));
  EXPECT_THAT(error_with([](Limits& l) { l.entries = 3; }, layer).text, HasSubstr("more than the 3 members"));
  EXPECT_THAT(error_with([](Limits& l) { l.depth = 2; }, layer).text, HasSubstr("deeper than 2 directories"));
  const std::string bomb = test::gzip(TarBuilder().file("a", std::string(4 << 20, '\0')).finish());
  Error error = error_with([](Limits& l) { l.free_bytes = 1 << 20; }, bomb);
  EXPECT_EQ(error.code, Code::excessive);
  EXPECT_THAT(error.text, HasSubstr("more than 300 times its size"));
  EXPECT_THAT(error.text, HasSubstr("UDOCKER_LIMIT_RATIO"));
  EXPECT_EQ(applied({bomb}).size(), 1U);
}

TEST(Apply, depth_counts_behind_symlinks_too) {
  TarBuilder tar;
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "d/";
  tar.dir(deep).symlink("l", deep).file("l/" + deep + "x");
  EXPECT_THAT(failure_of({tar.finish()}), HasSubstr("deeper than 256 directories"));
}

TEST(Apply, refuses_what_is_no_archive) {
  const std::string tar = TarBuilder().file("a", std::string(3000, 'x')).finish();
  EXPECT_THAT(failure_of({tar.substr(0, 1700)}), HasSubstr("damaged"));
  EXPECT_THAT(failure_of({tar.substr(0, 4000) + std::string(512, 'z')}), HasSubstr("damaged"));
  EXPECT_THAT(failure_of({test::gzip(tar).substr(0, 60)}), HasSubstr("cut off"));
  EXPECT_TRUE(applied({std::string(1024, '\0')}).empty());
  EXPECT_TRUE(applied({""}).empty());
  EXPECT_EQ(applied({tar.substr(0, tar.size() - 1024)}).size(), 1U);
}

TEST(Apply, tells_its_progress_and_stops_when_told) {
  ApplyFixture tree;
  const std::string layer = TarBuilder().file("a", std::string(20 << 20, 'x')).finish();
  int calls = 0;
  tree.options.progress = [&](const Progress& progress) -> Result<> {
    EXPECT_GT(progress.stored_bytes, 0U);
    EXPECT_EQ(progress.layer, 0U);
    if (++calls == 2) return fail(Code::busy, "stop here");
    return {};
  };
  auto done = tree.apply({layer});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::busy);
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace udk::archive
