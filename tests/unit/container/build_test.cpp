#include "container/build.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.hpp"
#include "unit/container/guest_tree.hpp"

namespace udk::container {
namespace {

constexpr const char* k_metadata = R"({"architecture": "amd64", "os": "linux", "config": {
  "Env": ["PATH=/usr/local/bin:/bin", "LANG=C.UTF-8"], "Cmd": ["tool", "--serve"], "Entrypoint": ["/bin/entry"],
  "WorkingDir": "/srv/app", "User": "www-data:adm", "ExposedPorts": {"8080/tcp": {}}, "Volumes": {"/vol": {}}}})";

class BuildTest : public ::testing::Test {
 protected:
  BuildTest() {
    root.file("bin/entry", "#!/bin/sh\n", 0755).file("bin/sh", "x", 0755).file("bin/tool", "x", 0755).dir("root");
    root.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/sh\n");
    root.file("etc/group", "root:x:0:\nadm:x:4:\nwww-data:x:33:\nbackup:x:34:www-data\n");
    host_tree.dir("dev").dir("data").dir("home").dir("tmp").file("passwd", "alice:x:1234:1235::/h:/bin/sh\n");
    host_tree.file("group", "staffers:x:1235:\n").file("resolv.conf", "nameserver 192.0.2.1\noptions ndots:1\n");
    container = {"26632c86-d32e-3644-af07-69259d86b9a1", root.path(), k_metadata, "P1", {"web"}};
    settings.sysdirs_list = {host_tree / "dev:/dev"};
    settings.tmpdir = host_tree / "tmp";
    host.home = host_tree / "home";
    host.accounts.passwd_file = host_tree / "passwd";
    host.accounts.group_file = host_tree / "group";
    host.resolv_conf = host_tree / "resolv.conf";
  }
  Result<PreparedRun> build() { return build_run_spec(container, options, settings, host); }
  std::string error() {
    auto run = build();
    return run ? "no error" : run.error().text;
  }
  std::string temporary_files() { return join(list_dir(settings.tmpdir).value_or(std::vector<std::string>{"?"}), " "); }
  static const Bind* bind_at(const RunSpec& spec, const std::string& guest) {
    auto found = std::find_if(spec.binds.begin(), spec.binds.end(), [&](const Bind& b) { return b.guest == guest; });
    return found == spec.binds.end() ? nullptr : &*found;
  }
  static bool has(const RunSpec& spec, const std::string& variable) {
    return std::find(spec.env.begin(), spec.env.end(), variable) != spec.env.end();
  }
  test::Tree root, host_tree;
  ContainerInfo container;
  RunOptions options;
  Settings settings;
  HostFacts host = test::test_host();
};

TEST_F(BuildTest, FromTheImageAlone) {
  auto run = build();
  ASSERT_TRUE(run) << run.error().text;
  const auto& spec = run->spec;
  EXPECT_EQ(spec.container_id, container.id);
  EXPECT_EQ(spec.root, root.path());
  EXPECT_EQ(join(spec.argv, " "), "/bin/entry tool --serve");
  EXPECT_EQ(spec.program, "/bin/entry");
  EXPECT_EQ(spec.cwd, "/srv/app");
  EXPECT_TRUE(is_dir(root / "srv/app"));
  EXPECT_EQ(spec.identity.uid, 33U);
  EXPECT_EQ(spec.identity.gid, 4U);
  EXPECT_TRUE(spec.identity.groups.empty());
  EXPECT_TRUE(has(spec, "LANG=C.UTF-8"));
  EXPECT_TRUE(has(spec, "HOME=/var/www"));
  EXPECT_TRUE(has(spec, "USER=www-data"));
  EXPECT_TRUE(has(spec, "container_root=" + root.path()));
  EXPECT_EQ(spec.binds.size(), 1U);
  EXPECT_TRUE(spec.cpus.empty());
  EXPECT_EQ(spec.kernel_release, "");
  EXPECT_EQ(temporary_files(), "");
  EXPECT_EQ(test::texts(run->notices), "2:this container exposes TCP/IP ports\n");
}

TEST_F(BuildTest, NometaKnowsNothingOfTheImage) {
  options.no_meta = true;
  options.words = {"tool", "", "x"};
  auto run = build();
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(run->spec.argv, (std::vector<std::string>{"tool", "", "x"}));
  EXPECT_EQ(run->spec.program, "/bin/tool");
  EXPECT_EQ(run->spec.cwd, "/root");
  EXPECT_EQ(run->spec.identity.uid, 0U);
  EXPECT_TRUE(has(run->spec, "PATH=" + settings.root_path));
  EXPECT_TRUE(run->notices.empty());
  container.metadata = "{broken";
  EXPECT_TRUE(build());
  options.no_meta = false;
  EXPECT_NE(error().find("container.json"), std::string::npos) << error();
}

TEST_F(BuildTest, UnknownUserGetsFilesThatVanishAfterwards) {
  options.user = "3000:3001";
  std::string passwd_file;
  {
    auto run = build();
    ASSERT_TRUE(run) << run.error().text;
    const auto* passwd = bind_at(run->spec, "/etc/passwd");
    const auto* group = bind_at(run->spec, "/etc/group");
    ASSERT_TRUE(passwd && group);
    passwd_file = passwd->host;
    EXPECT_TRUE(read_file(passwd->host).value_or("").ends_with("\n3000:x:3000:1235:*UDOCKER*:/:/bin/sh\n"));
    EXPECT_TRUE(read_file(group->host).value_or("").ends_with("\nG3001:x:3001:\n"));
    struct stat st {};
    ASSERT_EQ(::stat(passwd->host.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777U, 0600U);
    auto moved = std::move(run->scratch);
    EXPECT_TRUE(exists(passwd_file));
  }
  EXPECT_FALSE(exists(passwd_file));
  EXPECT_EQ(temporary_files(), "");
  // The image's own files are untouched.
  EXPECT_EQ(read_file(root / "etc/group").value_or(""), "root:x:0:\nadm:x:4:\nwww-data:x:33:\nbackup:x:34:www-data\n");
}

TEST_F(BuildTest, TheImagesPasswdMayBeALink) {
  ASSERT_TRUE(unlink_at(AT_FDCWD, root / "etc/passwd"));
  root.file("usr/accounts", "root:x:0:0::/root:/bin/sh\nsvc:x:50:50::/:/bin/sh\n").link("/usr/accounts", "etc/passwd");
  options.user = "svc";
  auto run = build();
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(run->spec.identity.uid, 50U);
  options.user = "77";
  run = build();
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_TRUE(bind_at(run->spec, "/usr/accounts"));
}

TEST_F(BuildTest, AVolumeOnPasswdCountsAndNothingIsGenerated) {
  host_tree.file("mine", "boss:x:5000:5000::/boss:/bin/sh\n");
  options.volumes = {host_tree / "mine:/etc/passwd:ro"};
  options.user = "boss";
  auto run = build();
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(run->spec.identity.uid, 5000U);
  EXPECT_EQ(bind_at(run->spec, "/etc/passwd")->host, host_tree / "mine");
  EXPECT_FALSE(bind_at(run->spec, "/etc/group"));
  EXPECT_EQ(temporary_files(), "");
}

TEST_F(BuildTest, ContainerAuth) {
  options.container_auth = true;
  EXPECT_TRUE(build());
  options.user = "3000";
  EXPECT_TRUE(error().starts_with("user not found: 3000")) << error();
}

TEST_F(BuildTest, HostAuth) {
  options.host_auth = true;
  options.user = "alice";
  auto run = build();
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(run->spec.identity.uid, 1234U);
  EXPECT_EQ(read_file(bind_at(run->spec, "/etc/passwd")->host).value_or(""), "alice:x:1234:1235::/h:/bin/sh\n");
  EXPECT_EQ(read_file(bind_at(run->spec, "/etc/group")->host).value_or(""), "staffers:x:1235:\nG2000:x:2000:alice\n");
}

TEST_F(BuildTest, BindHome) {
  options.bind_home = true;
  auto run = build();
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_TRUE(has(run->spec, "HOME=" + (host_tree / "home")));
  EXPECT_TRUE(bind_at(run->spec, host_tree / "home"));
  options.user = "alice";
  run = build();
  ASSERT_TRUE(run) << run.error().text;
  auto passwd = read_file(bind_at(run->spec, "/etc/passwd")->host).value_or("");
  EXPECT_TRUE(passwd.ends_with("\nalice:x:1234:1235:*UDOCKER*:" + (host_tree / "home") + ":/bin/sh\n")) << passwd;
}

TEST_F(BuildTest, Dns) {
  options.dns = {"192.0.2.53"};
  auto run = build();
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(read_file(bind_at(run->spec, "/etc/resolv.conf")->host).value_or(""),
            "options ndots:1\nnameserver 192.0.2.53\n");
  // A volume at that place is the user's word.
  host_tree.file("mine");
  options.volumes = {host_tree / "mine:/etc/resolv.conf"};
  run = build();
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(bind_at(run->spec, "/etc/resolv.conf")->host, host_tree / "mine");
  // A system directory is not.
  options.volumes.clear();
  settings.sysdirs_list = {host_tree / "mine:/etc/resolv.conf"};
  run = build();
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_NE(bind_at(run->spec, "/etc/resolv.conf")->host, host_tree / "mine");
}

TEST_F(BuildTest, ProcessorsAndKernel) {
  options.cpuset_cpus = "1-2";
  options.kernel = "6.6.6";
  auto run = build();
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(run->spec.cpus, (std::vector<unsigned>{1, 2}));
  EXPECT_EQ(run->spec.kernel_release, "6.6.6");
  options.cpuset_cpus = "9";
  EXPECT_TRUE(error().starts_with("invalid --cpuset-cpus=9")) << error();
  options.kernel = std::string(65, '6');
  EXPECT_TRUE(error().starts_with("invalid --kernel=666")) << error();
}

TEST_F(BuildTest, HostileMetadata) {
  for (const char* text : {R"({"config":{"Cmd":["tool\u0000x"]}})", R"({"config":{"WorkingDir":"/a\u0000b"}})"}) {
    container.metadata = text;
    EXPECT_NE(error().find("NUL character"), std::string::npos) << error();
  }
  // Outside of ROOT is nothing.
  container.metadata = R"({"config":{"WorkingDir":"/../../../../tmp/../x/../../srv","Cmd":["/bin/tool"]}})";
  auto run = build();
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(run->spec.cwd, "/srv");
  EXPECT_TRUE(is_dir(root / "srv"));
}

TEST_F(BuildTest, NoCommandAnywhere) {
  container.metadata = "";
  auto run = build();
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(test::texts(run->notices), "2:no command assuming: ['sh', '-i']\n");
  root.file("bin/bash", "x", 0755);
  run = build();
  EXPECT_EQ(test::texts(run->notices), "2:no command assuming: ['bash', '-i']\n");
  ASSERT_TRUE(remove_tree_at(AT_FDCWD, root / "bin"));
  EXPECT_TRUE(error().starts_with("command not found or has no execute bit set: ['bash', '-i']: not in PATH="))
      << error();
}

TEST_F(BuildTest, OneLineForEachMistake) {
  options.words = {"nonsense", "-x"};
  options.entrypoint = "";
  EXPECT_EQ(error(),
            "command not found or has no execute bit set: ['nonsense', '-x']: not in PATH=/usr/local/bin:/bin; "
            "name a program of the container");
  options.volumes = {"/no/such/place"};
  EXPECT_TRUE(error().starts_with("invalid host volume path: /no/such/place: No such file or directory")) << error();
  options.publish = {"80"};
  EXPECT_TRUE(error().starts_with("invalid port mapping 80: ")) << error();
  options.env_files = {"/no/such/env"};
  EXPECT_TRUE(error().starts_with("--env-file: /no/such/env: ")) << error();
  container.root = "/no/such/root";
  EXPECT_TRUE(error().starts_with("container " + container.id + ": root directory: ")) << error();
  EXPECT_EQ(temporary_files(), "");
}

TEST_F(BuildTest, ATemporaryDirectoryThatCannotBeWritten) {
  options.user = "3000";
  settings.tmpdir = "/no/such/tmp";
  EXPECT_NE(error().find("UDOCKER_TMP"), std::string::npos) << error();
}

TEST(VolumesFromText, Parse) {
  EXPECT_EQ(parse_volumes_from("c1")->name, "c1");
  EXPECT_EQ(parse_volumes_from("c1:ro")->access, Access::read_only);
  EXPECT_EQ(parse_volumes_from("c1:rw")->access, Access::read_write);
  for (const char* text : {"", ":ro", "c1:xx", "c1:ro:rw"}) EXPECT_FALSE(parse_volumes_from(text)) << text;
}

TEST(Banner, IsThatOfThePythonTool) {
  const std::vector<std::string> want{
      " ",
      " ****************************************************************************** ",
      " *                                                                            * ",
      " *               STARTING 26632c86-d32e-3644-af07-69259d86b9a1                * ",
      " *                                                                            * ",
      " ****************************************************************************** ",
      " executing: sh"};
  EXPECT_EQ(banner("26632c86-d32e-3644-af07-69259d86b9a1", "P1", "/bin/sh"), want);
  EXPECT_EQ(banner("", "R1", "sh")[1][1], '%');
  EXPECT_EQ(banner(std::string(200, 'x'), "F2", "sh")[3].size(), 80U);
}

TEST(HostFactsTest, OfThisProcess) {
  auto facts = collect_host_facts();
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->uid, ::geteuid());
  EXPECT_FALSE(facts->machine.empty());
  EXPECT_FALSE(facts->cpus.empty());
  EXPECT_FALSE(facts->user_name.empty());
}

}  // namespace
}  // namespace udk::container
