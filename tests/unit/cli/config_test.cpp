#include "cli/config.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "cli/config_keys.hpp"
#include "unit/temp_dir.hpp"

namespace udk::cli {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    sources.home = dir / "home";
    sources.system_file = dir / "etc.conf";
    EXPECT_TRUE(make_dirs(dir / "home/.udocker"));
    EXPECT_TRUE(make_dirs(dir / "top"));
  }
  void write(const std::string& name, const std::string& text) { EXPECT_TRUE(write_file_atomic(dir / name, text)); }
  Config load() {
    auto config = load_config(sources);
    EXPECT_TRUE(config) << config.error().text;
    return config ? std::move(*config) : Config();
  }
  std::string error() {
    auto config = load_config(sources);
    return config ? "no error" : config.error().text;
  }
  static std::string shown(const Config& config, const std::string& key) {
    for (const auto& [name, value] : config.values) {
      if (name == key) return value.repr();
    }
    return "no such key";
  }
  test::TempDir dir;
  ConfigSources sources;
};

TEST_F(ConfigTest, Defaults) {
  auto config = load();
  EXPECT_EQ(config.verbose_level, 3);
  EXPECT_EQ(config.topdir, dir / "home/.udocker");
  EXPECT_EQ(config.homedir, dir / "home/.udocker");
  EXPECT_EQ(config.reposdir, dir / "home/.udocker/repos");
  EXPECT_EQ(config.containersdir, dir / "home/.udocker/containers");
  EXPECT_EQ(config.keystore, dir / "home/.udocker/keystore");
  EXPECT_EQ(config.tmpdir, "/tmp");
  EXPECT_EQ(config.default_execution_mode, "P1");
  EXPECT_EQ(config.http_insecure, false);
  EXPECT_EQ(config.timeout, 12);
  EXPECT_EQ(config.ctimeout, 6);
  EXPECT_EQ(config.fast_after, 32);
  EXPECT_EQ(config.download_timeout, 1800);
  EXPECT_EQ(config.docker_registries["docker.io"].registry, "https://registry-1.docker.io");
  EXPECT_EQ(config.docker_registries["docker.io"].index, "https://hub.docker.com");
  EXPECT_EQ(config.use_proot_executable, "UDOCKER");
  EXPECT_TRUE(config.warnings.empty());
  // The two lists of defaults are one.
  container::Settings settings;
  EXPECT_EQ(config.run.cmd, settings.cmd);
  EXPECT_EQ(config.run.root_path, settings.root_path);
  EXPECT_EQ(config.run.user_path, settings.user_path);
  EXPECT_EQ(config.run.sysdirs_list, settings.sysdirs_list);
  EXPECT_EQ(config.run.dri_list, settings.dri_list);
  EXPECT_EQ(config.run.valid_host_env, settings.valid_host_env);
  EXPECT_EQ(config.run.invalid_host_env, settings.invalid_host_env);
  EXPECT_EQ(config.values.size(), config_keys().size());
  EXPECT_EQ(shown(config, "valid_host_env"), "('TERM', 'PATH', 'PROOT_TMP_DIR')");
  EXPECT_EQ(shown(config, "bindir"), "None");
}

TEST_F(ConfigTest, EveryDefaultIsOfItsType) {
  for (const auto& key : config_keys()) {
    auto literal = parse_literal(key.default_value);
    ASSERT_TRUE(literal) << key.name;
    auto read = read_config_value(key.type, literal->str());
    ASSERT_TRUE(read) << key.name << ": " << read.error().text;
    EXPECT_EQ(read->repr(), literal->repr()) << key.name;
  }
}

TEST_F(ConfigTest, Precedence) {
  // Each source sets one key more than the one before it.
  write("etc.conf",
        "http_agent = etc\nhttp_proxy = etc\nlocation = etc\nkeystore = /etc-key\nuse_runc_executable = etc\n"
        "topdir = " +
            (dir / "top") + "\n");
  write("home/.udocker/udocker.conf",
        "[DEFAULT]\nhttp_proxy = home\nlocation = home\nkeystore = /h\nuse_runc_executable=home\n");
  write("top/udocker.conf", "location = top\nkeystore = /top-key\nuse_runc_executable = top\n");
  write("extra.conf", "keystore = /extra-key\nuse_runc_executable = extra\n");
  sources.extra_file = dir / "extra.conf";
  sources.environment = {{"UDOCKER_USE_RUNC_EXECUTABLE", "env"}};
  auto config = load();
  EXPECT_EQ(config.http_agent, "etc");
  EXPECT_EQ(config.http_proxy, "home");
  EXPECT_EQ(config.location, "top");
  EXPECT_EQ(config.keystore, "/extra-key");
  EXPECT_EQ(config.use_runc_executable, "env");
  EXPECT_EQ(config.topdir, dir / "top");
  EXPECT_EQ(config.layersdir, dir / "top/layers");
  sources.environment["UDOCKER_NOSYSCONF"] = "1";
  config = load();
  EXPECT_EQ(config.http_agent, "");
  EXPECT_EQ(config.location, "home");
}

// The Python tool never reads the file there, although its manual says so.
TEST_F(ConfigTest, FileInTheDirectoryOfTheEnvironment) {
  write("top/udocker.conf", "http_agent = top\n");
  sources.environment = {{"UDOCKER_DIR", dir / "top"}};
  EXPECT_EQ(load().http_agent, "top");
  EXPECT_EQ(load().topdir, dir / "top");
}

TEST_F(ConfigTest, Environment) {
  sources.environment = {{"UDOCKER_DIR", "/d"},
                         {"UDOCKER_LAYERS", "/l"},
                         {"UDOCKER_LOGLEVEL", "5"},
                         {"UDOCKER_REGISTRY", "http://r"},
                         {"UDOCKER_INDEX", "http://i"},
                         {"UDOCKER_KEYSTORE", "ks"},
                         {"UDOCKER_DEFAULT_EXECUTION_MODE", "f1"},
                         {"TMPDIR", "/t"},
                         {"UDOCKER_USE_PROOT_EXECUTABLE", ""},
                         {"UDOCKER_REPOS", ""},
                         {"UDOCKER_FAKECHROOT_EXPAND_SYMLINKS", "TRUE"}};
  auto config = load();
  EXPECT_EQ(config.topdir, "/d");
  EXPECT_EQ(config.layersdir, "/l");
  EXPECT_EQ(config.reposdir, "/d/repos");
  EXPECT_EQ(config.verbose_level, 5);
  EXPECT_EQ(config.docker_registries["docker.io"].registry, "http://r");
  EXPECT_EQ(config.docker_registries["docker.io"].index, "http://i");
  EXPECT_EQ(config.keystore, dir / "home/.udocker/ks");
  EXPECT_EQ(config.default_execution_mode, "F1");
  EXPECT_EQ(config.tmpdir, "/t");
  EXPECT_EQ(config.run.tmpdir, "/t");
  EXPECT_EQ(config.use_proot_executable, "");
  EXPECT_EQ(shown(config, "fakechroot_expand_symlinks"), "'true'");
  sources.environment["UDOCKER_TMP"] = "/u";
  EXPECT_EQ(load().tmpdir, "/u");
}

TEST_F(ConfigTest, Types) {
  write("etc.conf",
        "http_insecure = False\nproot_killonexit = no\nproot_noseccomp = True\ntimeout = 20\n"
        "cmd = sh -l\nsysdirs_list = /dev, /proc\n  /sys\ndri_list = ['/a b', '/c']\nlocation = 'quoted'\n"
        "default_execution_mode = p2\ndocker_registries = {'docker.io': ['https://r', 'https://i'], 'x.example': "
        "'http://x'}\n"
        "homedir = ~/other\n");
  auto config = load();
  EXPECT_FALSE(config.http_insecure);
  EXPECT_EQ(shown(config, "proot_killonexit"), "False");
  EXPECT_EQ(shown(config, "proot_noseccomp"), "True");
  EXPECT_EQ(config.timeout, 20);
  EXPECT_EQ(join(config.run.cmd, "|"), "sh|-l");
  EXPECT_EQ(join(config.run.sysdirs_list, "|"), "/dev|/proc|/sys");
  EXPECT_EQ(join(config.run.dri_list, "|"), "/a b|/c");
  EXPECT_EQ(config.location, "quoted");
  EXPECT_EQ(config.default_execution_mode, "P2");
  EXPECT_EQ(config.docker_registries["docker.io"].registry, "https://r");
  EXPECT_EQ(config.docker_registries["x.example"].registry, "http://x");
  EXPECT_EQ(config.docker_registries["x.example"].index, "");
  EXPECT_EQ(config.homedir, dir / "home/other");
}

TEST_F(ConfigTest, BadValuesNameThePlace) {
  struct Case {
    const char *text, *want;
  };
  const Case cases[] = {
      {"\nhttp_insecure = maybe", " line 2: http_insecure: 'maybe' is not True or False"},
      {"timeout = soon", " line 1: timeout: 'soon' is not a whole number from 0 on"},
      {"timeout = -1", " line 1: timeout: '-1' is not a whole number from 0 on"},
      {"cmd = ['sh'", " line 1: cmd: a comma is missing at the end"},
      {"cmd = [1]", " line 1: cmd: a list of texts is expected"},
      {"default_execution_mode = P9",
       " line 1: default_execution_mode: 'P9' cannot be the default execution mode, P1, P2, F1, S1 and R1 can"},
      {"docker_registries = []", " line 1: docker_registries: a table like {'name': 'value'} is expected"},
      {"what is this", " line 1: 'what is this' is no line of the form key = value"},
  };
  for (const auto& c : cases) {
    write("etc.conf", c.text);
    EXPECT_EQ(error(), (dir / "etc.conf") + c.want);
  }
  write("etc.conf", "cmd = []\n");
  EXPECT_EQ(error(), "configuration key cmd: the list is empty, a command is needed");
  write("etc.conf", "");
  sources.environment = {{"UDOCKER_LOGLEVEL", "abc"}};
  EXPECT_EQ(error(), "UDOCKER_LOGLEVEL: 'abc' is not a whole number");
  sources.environment = {{"UDOCKER_DEFAULT_EXECUTION_MODE", "R2"}};
  EXPECT_TRUE(error().starts_with("UDOCKER_DEFAULT_EXECUTION_MODE: 'R2' cannot")) << error();
}

TEST_F(ConfigTest, WarningsDoNotStopIt) {
  write("etc.conf", "http_proxi = x\n[section]\nfoo\nbar = 1\n");
  EXPECT_NE(error(), "no error");
  write("etc.conf", "http_proxi = x\n[section]\nbar = 1\n");
  sources.extra_file = dir / "absent";
  EXPECT_EQ(load().warnings.size(), 3U);
}

TEST_F(ConfigTest, AFileThatCannotBeReadIsAnError) {
  ASSERT_TRUE(make_dirs(dir / "etc.conf"));
  EXPECT_TRUE(error().starts_with("configuration file: " + (dir / "etc.conf"))) << error();
}

TEST_F(ConfigTest, TheSampleFileOfThePythonTool) {
  write("etc.conf",
        "[DEFAULT]\n# topdir\ntopdir = %(topdir)s/\nbindir = %(topdir)s/bin\nlibdir = %(topdir)s/lib\n"
        "dockerio_index_url = https://hub.docker.com\nhttp_proxy = http://u:p%40x@proxy:3128\n");
  auto config = load();
  EXPECT_EQ(config.topdir, dir / "home/.udocker");
  EXPECT_EQ(config.bindir, dir / "home/.udocker/bin");
  EXPECT_EQ(config.http_proxy, "http://u:p%40x@proxy:3128");
}

TEST_F(ConfigTest, UseTopdirKeepsWhatWasNamed) {
  sources.environment = {{"UDOCKER_LAYERS", "/l"}};
  auto config = load();
  config.use_topdir("/repo");
  EXPECT_EQ(config.topdir, "/repo");
  EXPECT_EQ(config.reposdir, "/repo/repos");
  EXPECT_EQ(config.layersdir, "/l");
  EXPECT_EQ(shown(config, "topdir"), "'/repo'");
}

TEST_F(ConfigTest, DefaultModeByMachine) {
  for (auto [machine, mode] : {std::pair{"x86_64", "P1"},
                               {"i686", "P1"},
                               {"aarch64", "P1"},
                               {"armv7l", "P2"},
                               {"ppc64le", "R1"},
                               {"riscv64", "R1"},
                               {"loongarch64", "R1"}}) {
    sources.machine = machine;
    EXPECT_EQ(load().default_execution_mode, mode) << machine;
  }
}

TEST(ConfigSourcesTest, OfThisProcess) {
  auto sources = config_sources_of_process("x");
  EXPECT_EQ(sources.extra_file, "x");
  EXPECT_FALSE(sources.machine.empty());
  EXPECT_TRUE(sources.environment.contains("PATH"));
}

}  // namespace
}  // namespace udk::cli
