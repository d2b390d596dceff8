#include "container/volumes.hpp"

#include <gtest/gtest.h>

#include "unit/container/guest_tree.hpp"

namespace udk::container {
namespace {

using test::Tree;

TEST(Volumes, Parse) {
  struct Case {
    const char *text, *host, *guest;
    Access access;
  };
  const Case cases[] = {
      {"/a", "/a", "/a", Access::read_write},
      {"/a:", "/a", "/a", Access::read_write},
      {"/a:/b", "/a", "/b", Access::read_write},
      {"//a//b/://c//d/", "/a/b", "/c/d", Access::read_write},
      {"/a:/b:ro", "/a", "/b", Access::read_only},
      {"/a::ro", "/a", "/a", Access::read_only},
      {"/a:/b:rw,z", "/a", "/b", Access::read_write},
      {"/a:/b:Z,ro,rshared,cached,nocopy", "/a", "/b", Access::read_only},
      {"/:/host", "/", "/host", Access::read_write},
  };
  for (const auto& c : cases) {
    auto volume = parse_volume(c.text);
    ASSERT_TRUE(volume) << c.text;
    EXPECT_EQ(volume->host, c.host) << c.text;
    EXPECT_EQ(volume->guest, c.guest) << c.text;
    EXPECT_EQ(volume->access, c.access) << c.text;
  }
}

TEST(Volumes, ParseRefuses) {
  struct Case {
    const char *text, *want;
  };
  const Case cases[] = {
      {"", "invalid host volume path: "},
      {"data:/d", "invalid host volume path: data"},
      {"./d:/d", "invalid host volume path: ./d"},
      {":/d", "invalid host volume path: "},
      {"/", "invalid container volume path: /"},
      {"/a:/", "invalid container volume path: /"},
      {"/a:///", "invalid container volume path: /"},
      {"/a:/x/..", "invalid container volume path: /x/.."},
      {"/a:b", "invalid container volume path: b"},
      {"/a:ro", "invalid container volume path: ro"},
      {"/a:/b:", "invalid volume option ''"},
      {"/a:/b:noexec", "invalid volume option 'noexec'"},
      {"/a:/b:ro,rw", "invalid volume options in /a:/b:ro,rw: both"},
      {"/a:/b:ro:x", "invalid volume /a:/b:ro:x"},
  };
  for (const auto& c : cases) {
    auto volume = parse_volume(c.text);
    ASSERT_FALSE(volume) << c.text;
    EXPECT_EQ(volume.error().code, Code::usage);
    EXPECT_TRUE(volume.error().text.starts_with(c.want)) << volume.error().text;
  }
}

class VolumeList : public ::testing::Test {
 protected:
  VolumeList() {
    host.dir("dev").dir("proc").dir("data").dir("dri").dir("home").file("resolv.conf").link("data", "link");
    settings.sysdirs_list = {host / "dev", host / "proc", host / "missing", host / "resolv.conf"};
    settings.dri_list = {host / "dri", host / "no-dri"};
    facts.home = host / "home";
    container.mode = "P1";
  }
  // "host>guest[ ro]" per volume, the scratch directory's name cut off.
  std::string list() {
    notices.clear();
    auto volumes = collect_volumes(container, options, settings, facts, notices);
    if (!volumes) return "error: " + volumes.error().text;
    std::string out;
    for (const auto& volume : *volumes)
      out += cut(volume.host) + ">" + cut(volume.guest) + (volume.access == Access::read_only ? " ro " : " ");
    return out;
  }
  std::string cut(const std::string& path) {
    return path.starts_with(host.path()) ? path.substr(host.path().size()) : path;
  }
  Tree host;
  ContainerInfo container;
  RunOptions options;
  Settings settings;
  HostFacts facts = test::test_host();
  std::vector<Notice> notices;
};

TEST_F(VolumeList, SystemDirectoriesThatExist) {
  EXPECT_EQ(list(), "/dev>/dev /proc>/proc /resolv.conf>/resolv.conf ");
  options.no_sysdirs = true;
  EXPECT_EQ(list(), "");
  options.dri = options.bind_home = true;
  EXPECT_EQ(list(), "/dri>/dri /home>/home ");
}

TEST_F(VolumeList, UserVolumesComeLastWithCanonicalHostPath) {
  options.volumes = {host / "link:/mnt:ro"};
  EXPECT_EQ(list(), "/dev>/dev /proc>/proc /resolv.conf>/resolv.conf /data>/mnt ro ");
}

TEST_F(VolumeList, DefaultVolumesAreNotListedUnlessAskedFor) {
  options.volumes = {host / "proc", host / "data"};
  auto volumes = collect_volumes(container, options, settings, facts, notices);
  ASSERT_TRUE(volumes);
  for (const auto& volume : *volumes) EXPECT_EQ(volume.listed, volume.need == Need::required) << volume.guest;
}

TEST_F(VolumeList, AMissingUserVolumeIsAnError) {
  options.volumes = {host / "absent"};
  auto error = list();
  EXPECT_TRUE(error.starts_with("error: invalid host volume path: " + (host / "absent") + ": No such file")) << error;
  EXPECT_NE(error.find("create it"), std::string::npos);
}

TEST_F(VolumeList, Novol) {
  options.volumes = {host / "data:/mnt"};
  options.novol = {host / "dev", (host / "proc") + "/", host / "data:/mnt", "/unknown"};
  EXPECT_EQ(list(), "/resolv.conf>/resolv.conf ");
  EXPECT_EQ(test::texts(notices), "2:--novol /unknown not in volumes list\n");
}

TEST_F(VolumeList, BindHomeWithoutAHome) {
  options.no_sysdirs = options.bind_home = true;
  facts.home = "/";
  EXPECT_EQ(list(), "");
  EXPECT_EQ(notices.size(), 1U);
}

TEST_F(VolumeList, RuntimesBringTheirOwnKernelDirectories) {
  settings.sysdirs_list = {"/dev", "/proc", "/sys", "/", host / "resolv.conf"};
  settings.sysdirs_list.erase(settings.sysdirs_list.begin() + 3);
  container.mode = "R1";
  EXPECT_EQ(list(), "/resolv.conf>/resolv.conf ");
  container.mode = "S1";
  EXPECT_EQ(list(), "/resolv.conf>/resolv.conf ");
}

TEST_F(VolumeList, VolumesFrom) {
  Tree other;
  other.dir("real").link("/real", "vol");
  options.no_sysdirs = true;
  options.volumes_from = {{"c1", other.path(),
                           R"({"config":{"Volumes":{"/vol":{},"/made/new":{},"relative":{},"/":{}}}})",
                           Access::read_only}};
  std::string want = (other / "made/new") + ">/made/new ro " + (other / "real") + ">/vol ro ";
  EXPECT_EQ(list(), want);
  EXPECT_TRUE(is_dir(other / "made/new"));
  EXPECT_EQ(notices.size(), 2U);
  options.volumes_from[0].metadata = "{";
  EXPECT_TRUE(list().starts_with("error: --volumes-from=c1: ")) << list();
  options.volumes_from[0].metadata.clear();
  EXPECT_EQ(list(), "");
}

class Placement : public ::testing::Test {
 protected:
  Placement() : view(root.path()) {
    root.link("/run", "var/run").dir("run").link("/", "top").file("etc/f");
    host.dir("a").dir("b/in").dir("c");
  }
  std::string place(const std::vector<Volume>& volumes) {
    auto done = place_volumes(volumes, view);
    if (!done) return "error: " + done.error().text;
    std::string out;
    for (const auto& bind : view.binds()) out += bind.host.substr(host.path().size()) + ">" + bind.guest + " ";
    return out;
  }
  Volume volume(const std::string& name, const std::string& guest, Need need = Need::required) {
    return {host / name, guest, Access::read_write, need};
  }
  Tree root, host;
  GuestView view;
};

TEST_F(Placement, ImageLinksAreFollowed) { EXPECT_EQ(place({volume("a", "/var/run/x")}), "/a>/run/x "); }
TEST_F(Placement, OuterFirst) {
  EXPECT_EQ(place({volume("a", "/mnt/in/x"), volume("b", "/mnt")}), "/b>/mnt /a>/mnt/in/x ");
}
TEST_F(Placement, TheLaterOneOfTwoAtTheSamePlaceCounts) {
  EXPECT_EQ(place({volume("a", "/run/x"), volume("b", "/var/run/x")}), "/b>/run/x ");
}
TEST_F(Placement, AlsoWhenItsPathIsShorter) {
  EXPECT_EQ(place({volume("b", "/var/run/x"), volume("a", "/run/x")}), "/a>/run/x ");
}
TEST_F(Placement, Refusals) {
  EXPECT_TRUE(place({volume("a", "/top")}).starts_with("error: invalid container volume path: /top"));
  EXPECT_TRUE(place({volume("a", "/etc/f/x")}).starts_with("error: invalid container volume path: /etc/f/x"));
  EXPECT_EQ(place({volume("a", "/etc/f/x", Need::optional)}), "");
}
TEST_F(Placement, DirectoryAndFileDoNotStandForEachOther) {
  host.file("f");
  const std::string complaint = "host and container volume paths not same type: ";
  EXPECT_EQ(place({volume("a", "/etc/f")}), "error: invalid container volume path: /etc/f: " + complaint +
                                                (host / "a") +
                                                " is a directory, what the container has there is not one; choose "
                                                "another path");
  EXPECT_EQ(place({volume("f", "/etc")}), "error: invalid container volume path: /etc: " + complaint + (host / "f") +
                                              " is not a directory, what the container has there is one; choose "
                                              "another path");
  EXPECT_EQ(place({volume("f", "/etc", Need::optional), volume("a", "/etc/f", Need::optional)}), "");
  EXPECT_EQ(place({volume("f", "/etc", Need::optional), volume("a", "/etc"), volume("f", "/new")}), "/a>/etc /f>/new ");
}

}  // namespace
}  // namespace udk::container
