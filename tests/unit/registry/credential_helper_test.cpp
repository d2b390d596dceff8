#include "registry/credential_helper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>

#include "unit/temp_dir.hpp"

namespace udk::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

class CredentialHelper : public ::testing::Test {
 protected:
  CredentialHelper() : old_path_(std::getenv("PATH")) { ::setenv("PATH", (dir.path() + ":" + old_path_).c_str(), 1); }
  ~CredentialHelper() override { ::setenv("PATH", old_path_.c_str(), 1); }
  void script(const std::string& body) {
    EXPECT_TRUE(write_file_atomic(dir / "docker-credential-test", "#!/bin/sh\n" + body + "\n", 0755));
  }
  std::string answer(const std::string& host, const std::string& name = "test") {
    auto found = ask_helper(name, host, {timeout, cancelled});
    if (!found) return found.error().text;
    return *found ? (*found)->user + ":" + (*found)->password.reveal() : "none";
  }
  test::TempDir dir;
  std::chrono::milliseconds timeout{60000};
  std::function<bool()> cancelled;

 private:
  std::string old_path_;
};

TEST_F(CredentialHelper, SpeaksTheProtocol) {
  script(R"sh([ "$*" = get ] || exit 9; printf '{"ServerURL":"x","Username":"u","Secret":"%s"}' "$(cat)")sh");
  EXPECT_EQ(answer("h:5000"), "u:h:5000");
  EXPECT_EQ(answer("docker.io"), "u:https://index.docker.io/v1/");
  // podman stores Docker Hub's credentials by its name.
  script(R"sh([ "$(cat)" = docker.io ] && echo '{"Username":"u","Secret":"s"}' && exit
            echo "credentials not found in native keychain"; exit 1)sh");
  EXPECT_EQ(answer("docker.io"), "u:s");
  EXPECT_EQ(answer("h"), "none");
  script(R"(echo '{"ServerURL":"h","Username":"","Secret":""}')");
  EXPECT_EQ(answer("h"), "none");
}

TEST_F(CredentialHelper, FaultsNameNoSecret) {
  script("echo 'pass not initialized\nmore'; exit 1");
  EXPECT_THAT(answer("h"), HasSubstr("docker-credential-test: pass not initialized (status 1)"));
  script(R"(echo '{"Username":"u","Secret":"SECRET"}'; exit 2)");
  EXPECT_THAT(answer("h"), AllOf(HasSubstr("status 2"), Not(HasSubstr("SECRET"))));
  script("kill -9 $$");
  EXPECT_THAT(answer("h"), HasSubstr("signal 9"));
  for (const char* text :
       {"", "SECRET", "{}", R"({"Username":"SECRET"})", R"(["SECRET"])", R"({"Username":1,"Secret":"SECRET"})"}) {
    script("echo '" + std::string(text) + "'");
    EXPECT_THAT(answer("h"), AllOf(HasSubstr("its answer is not JSON"), Not(HasSubstr("SECRET")))) << text;
  }
  EXPECT_THAT(answer("h", "no-such-helper"), HasSubstr("docker-credential-no-such-helper: command not found"));
}

TEST_F(CredentialHelper, NamesThatArePathsAreRefused) {
  script("echo '{\"Username\":\"u\",\"Secret\":\"s\"}'");
  for (const char* name : {"", "/test", "x/../test", "../test", "test;true", "a b", "test\n"})
    EXPECT_THAT(answer("h", name), HasSubstr("is not the name of a credential helper")) << name;
  const std::string here = dir.path();
  ASSERT_EQ(::chdir(here.c_str()), 0);
  ::setenv("PATH", ":.:/usr/bin:/bin", 1);
  EXPECT_THAT(answer("h"), HasSubstr("command not found"));
  ASSERT_EQ(::chdir("/"), 0);
}

TEST_F(CredentialHelper, Limits) {
  script("yes");
  EXPECT_THAT(answer("h"), HasSubstr("bytes of output"));
  script("sleep 1000");
  timeout = std::chrono::milliseconds(100);
  EXPECT_THAT(answer("h"), HasSubstr("no answer in time"));
  timeout = std::chrono::minutes(10);
  cancelled = [] { return true; };
  EXPECT_EQ(ask_helper("test", "h", {timeout, cancelled}).error().sys_errno, EINTR);
}

}  // namespace
}  // namespace udk::registry
