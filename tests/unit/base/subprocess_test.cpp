#include "base/subprocess.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <climits>
#include <thread>

#include "base/file.hpp"
#include "base/text.hpp"
#include "unit/temp_dir.hpp"

namespace udk {
namespace {

using std::chrono::seconds;

Result<CapturedRun> shell(const std::string& script, RunOptions options = {seconds(60)}) {
  return run_captured({"sh", "-c", script}, options);
}

// Waits for the end of the process named in the file. Whoever inherits it may take long to reap it.
void wait_for_end(const std::string& pid_file) {
  auto stat = "/proc/" + std::string(trim(*read_file(pid_file))) + "/stat";
  for (auto text = read_file(stat); text && text->find(") Z ") == std::string::npos; text = read_file(stat))
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

TEST(Subprocess, CollectsOutputAndStatus) {
  auto run = shell("cat; exit 3", {seconds(60), 100, "in\nput"});
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(run->out, "in\nput");
  EXPECT_TRUE(WIFEXITED(run->status) && WEXITSTATUS(run->status) == 3);
  EXPECT_EQ(run_captured({"no-such-command-at-all"}, {seconds(60)}).error().code, Code::not_found);
  // A child that does not read harms nobody.
  EXPECT_TRUE(shell("exec <&-", {seconds(60), 100, std::string(PIPE_BUF, 'x')}));
  EXPECT_FALSE(shell("cat", {seconds(60), 100, std::string(PIPE_BUF + 1, 'x')}));
}

TEST(Subprocess, KillsTheWholeGroupInTime) {
  test::TempDir dir;
  auto run = shell("sleep 1000 & echo $! >'" + (dir / "pid") + "'; wait", {std::chrono::milliseconds(500)});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, Code::busy);
  wait_for_end(dir / "pid");
  // One that has closed its output is watched too.
  EXPECT_EQ(shell("exec >&-; sleep 1000", {std::chrono::milliseconds(200)}).error().code, Code::busy);
}

TEST(Subprocess, EndsAFlood) {
  auto run = shell("yes", {seconds(600), 10000});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, Code::corrupt);
  EXPECT_EQ(shell("printf 1234567890", {seconds(60), 10})->out.size(), 10U);
}

TEST(Subprocess, DoesNotWaitForWhatItLeaves) {
  test::TempDir dir;
  auto run = shell("sleep 1000 & echo $! >'" + (dir / "pid") + "'; echo done", {seconds(600)});
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(run->out, "done\n");
  EXPECT_EQ(::kill(static_cast<pid_t>(*parse_uint(trim(*read_file(dir / "pid")))), SIGKILL), 0);
}

TEST(Subprocess, CanBeCancelled) {
  auto run = shell("sleep 1000", {seconds(600), 100, "", [] { return true; }});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().sys_errno, EINTR);
}

}  // namespace
}  // namespace udk
