#include "container/environment.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "unit/container/guest_tree.hpp"

namespace udk::container {
namespace {

class EnvironmentTest : public ::testing::Test {
 protected:
  std::string collect() {
    notices.clear();
    auto out = container_environment(metadata, options, host, notices);
    return out ? join(out->list(), "|") : "error: " + out.error().text;
  }
  std::string file(const std::string& content) {
    files.file("env", content);
    options.env_files = {files / "env"};
    return collect();
  }
  test::Tree files;
  Metadata metadata;
  RunOptions options;
  HostFacts host = test::test_host();
  std::vector<Notice> notices;
};

TEST_F(EnvironmentTest, Precedence) {
  metadata.env = {"A=image", "B=image", "C=image"};
  options.env = {"C=option", "D=1", "D=2"};
  EXPECT_EQ(file("B=file\nC=file\n"), "A=image|B=file|C=option|D=2");
}

TEST_F(EnvironmentTest, OptionItems) {
  metadata.env = {"GONE=1"};
  options.env = {"SECRET", "GONE", "UNSET", "E=", "Q=a=b", "V= x ", "\"W\"=1"};
  EXPECT_EQ(collect(), "SECRET=1|E=|Q=a=b|V= x |\"W\"=1");
  EXPECT_TRUE(notices.empty());
}

TEST_F(EnvironmentTest, BadNamesAreDroppedWithANotice) {
  options.env = {"=x", "1A=x", "a b=x", "OK=1"};
  metadata.env = {"2B=x", "noequals", std::string("N=\0", 3)};
  EXPECT_EQ(collect(), "OK=1");
  EXPECT_EQ(notices.size(), 6U);
}

TEST_F(EnvironmentTest, EnvFile) {
  EXPECT_EQ(file("\xEF\xBB\xBF# comment\n\n  # another\nA=1\r\n  B='quoted # text'\nSECRET\nUNSET\nC=\nexport D=1\nE = "
                 "spaced\nF=x"),
            "A=1|B='quoted # text'|SECRET=1|C=|E=spaced|F=x");
  EXPECT_EQ(notices.size(), 1U);
  EXPECT_NE(test::texts(notices).find("env line 9"), std::string::npos) << test::texts(notices);
}

TEST_F(EnvironmentTest, EnvFilesThatCannotBeRead) {
  options.env_files = {files / "absent"};
  EXPECT_TRUE(collect().starts_with("error: --env-file: " + (files / "absent") + ": No such file")) << collect();
  EXPECT_TRUE(file(std::string("A=1\0", 4)).starts_with("error: --env-file: ")) << collect();
  options.env_files = {files.path()};
  EXPECT_TRUE(collect().starts_with("error: --env-file: ")) << collect();
}

class WholeEnvironment : public EnvironmentTest {
 protected:
  std::string get(const char* key) {
    auto variables = container_environment(metadata, options, host, notices);
    return complete_environment(std::move(*variables), user, container, options, settings, host).get(key).value_or("-");
  }
  ResolvedUser user{{0, 0, {}}, "root", "/root", "/bin/sh", {}, {}};
  ContainerInfo container{"26632c86-d32e-3644-af07-69259d86b9a1", "/c/ROOT", "", "P1", {"web", "w2"}};
  Settings settings;
};

TEST_F(WholeEnvironment, AlwaysSet) {
  options.env = {"USER=me", "SHLVL=7", "PS1=mine"};
  EXPECT_EQ(get("USER"), "root");
  EXPECT_EQ(get("LOGNAME"), "root");
  EXPECT_EQ(get("USERNAME"), "root");
  EXPECT_EQ(get("PS1"), "26632c86#");
  EXPECT_EQ(get("SHLVL"), "0");
  EXPECT_EQ(get("container_ruser"), "alice");
  EXPECT_EQ(get("container_root"), "/c/ROOT");
  EXPECT_EQ(get("container_uuid"), "26632c86-d32e-3644-af07-69259d86b9a1");
  EXPECT_EQ(get("container_execmode"), "P1");
  EXPECT_EQ(get("container_names"), "web,w2");
  user.identity.uid = 33;
  EXPECT_EQ(get("PS1"), "26632c86\\$");
}

TEST_F(WholeEnvironment, PathAndHome) {
  EXPECT_EQ(get("PATH"), settings.root_path);
  EXPECT_EQ(get("HOME"), "/root");
  user.identity.uid = 33;
  EXPECT_EQ(get("PATH"), settings.user_path);
  metadata.env = {"PATH=/img", "HOME=/h"};
  EXPECT_EQ(get("PATH"), "/img");
  EXPECT_EQ(get("HOME"), "/h");
  options.env = {"PATH="};
  EXPECT_EQ(get("PATH"), settings.user_path);
}

TEST_F(WholeEnvironment, HostVariables) {
  EXPECT_EQ(get("TERM"), "xterm");
  EXPECT_EQ(get("SECRET"), "-");
  EXPECT_EQ(get("VTE_VERSION"), "-");
  options.host_env = true;
  EXPECT_EQ(get("SECRET"), "1");
  EXPECT_EQ(get("VTE_VERSION"), "-");
  EXPECT_EQ(get("HOME"), "/root");
  EXPECT_EQ(get("PATH"), settings.root_path);
  options.env = {"TERM=dumb"};
  EXPECT_EQ(get("TERM"), "dumb");
}

}  // namespace
}  // namespace udk::container
