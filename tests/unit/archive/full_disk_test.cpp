// A disk without room, in a mount namespace of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "archive/apply.hpp"
#include "base/file.hpp"
#include "unit/archive/apply_fixture.hpp"
#include "unit/archive/tar_builder.hpp"

namespace udk::archive {
namespace {

using test::ApplyFixture;
using test::TarBuilder;

// What a child answers that applied the layer to a tmpfs mounted with these options.
std::string apply_to_disk(const char* mount_options, const std::string& layer) {
  ApplyFixture tree;
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    std::string answer;
    // Root needs the mount namespace alone, others a user namespace with it.
    const int flags = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS;
    if (::unshare(flags) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", tree.root().c_str(), "tmpfs", 0, mount_options) != 0) {
      answer = "no namespace";
    } else {
      auto done = tree.apply({layer});
      answer = done ? "done" : (done.error().code == Code::no_space ? "no_space: " : "other: ") + done.error().text;
      ::umount2(tree.root().c_str(), MNT_DETACH);
    }
    (void)write_all(ends[1], as_bytes(answer));
    ::_exit(0);
  }
  ::close(ends[1]);
  auto answer = read_all(ends[0]);
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return answer.value_or("nothing");
}

TEST(FullDisk, is_told_as_such) {
  auto big = TarBuilder().file("small", "x").file("usr/big", std::string(3 << 20, 'x')).finish();
  EXPECT_THAT(apply_to_disk("size=1m", big), testing::StartsWith("no_space: layer 1: cannot write usr/big: "));
  TarBuilder many;
  for (int i = 0; i < 200; ++i) many.file("f" + std::to_string(i));
  EXPECT_THAT(apply_to_disk("nr_inodes=100", many.finish()), testing::StartsWith("no_space: layer 1: cannot create f"));
  TarBuilder dirs;
  for (int i = 0; i < 200; ++i) dirs.dir("d" + std::to_string(i));
  EXPECT_THAT(apply_to_disk("nr_inodes=100", dirs.finish()),
              testing::StartsWith("no_space: layer 1: cannot make the directory d"));
  EXPECT_EQ(apply_to_disk("size=8m", big), "done");
}

}  // namespace
}  // namespace udk::archive
