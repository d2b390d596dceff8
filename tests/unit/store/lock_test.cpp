#include "store/lock.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <set>
#include <thread>

#include "base/file.hpp"
#include "base/text.hpp"
#include "unit/store/kill_at.hpp"
#include "unit/temp_dir.hpp"

namespace udk::store {
namespace {

using std::chrono::milliseconds;
using udk::test::TempDir;

Result<Lock> take(const TempDir& dir, LockMode mode, milliseconds timeout = milliseconds(0)) {
  return Lock::acquire(dir.path(), "l.lock", mode, Waiting{timeout, {}}, "the thing");
}

// A child that holds the lock until it is killed.
class Holder {
 public:
  Holder(const TempDir& dir, LockMode mode) {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      auto lock = take(dir, mode);
      char answer = lock ? 'y' : 'n';
      if (::write(ready[1], &answer, 1) == 1) ::pause();
      ::_exit(0);
    }
    ::close(ready[1]);
    char answer = 0;
    held_ = ::read(ready[0], &answer, 1) == 1 && answer == 'y';
    ::close(ready[0]);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { kill(); }
  [[nodiscard]] bool held() const { return held_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ > 0 && ::kill(pid_, SIGKILL) == 0) ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  bool held_ = false;
};

// What holds with and without flock. The number of the first step that went wrong.
int rules(const TempDir& dir) {
  {
    auto a = take(dir, LockMode::exclusive);
    if (!a || a->taken_over()) return 1;
    if (take(dir, LockMode::exclusive) || take(dir, LockMode::shared)) return 2;
    if (take(dir, LockMode::exclusive).error().code != Code::busy) return 3;
    if (!a->renew()) return 4;
  }
  {
    auto a = take(dir, LockMode::shared);
    auto b = take(dir, LockMode::shared, milliseconds(500));
    if (!a || !b) return 5;
    if (take(dir, LockMode::exclusive)) return 6;
  }
  if (!list_dir(dir.path())->empty()) return 7;
  for (auto mode : {LockMode::exclusive, LockMode::shared}) {
    Holder other(dir, mode);
    if (!other.held()) return 8;
    auto refused = take(dir, LockMode::exclusive);
    if (refused) return 9;
    if (mode == LockMode::exclusive &&
        refused.error().text.find("process " + std::to_string(other.pid())) == std::string::npos)
      return 10;
    other.kill();
    auto mine = take(dir, LockMode::exclusive, milliseconds(5000));
    if (!mine || mine->taken_over()) return 11;
  }
  return list_dir(dir.path())->empty() ? 0 : 12;
}

TEST(Lock, Rules) {
  TempDir dir;
  EXPECT_EQ(rules(dir), 0);
}
TEST(Lock, RulesWithoutFlock) {
  for (int error : {ENOLCK, EOPNOTSUPP, ENOSYS, EINVAL}) {
    TempDir dir;
    EXPECT_EQ(test::without_flock(error, [&] { return rules(dir); }), 0) << error;
  }
}

TEST(Lock, TellsOnceWhomItWaitsFor) {
  TempDir dir;
  Holder other(dir, LockMode::exclusive);
  std::vector<std::string> lines;
  Waiting waiting{milliseconds(300), [&](const std::string& line) { lines.push_back(line); }};
  auto lock = Lock::acquire(dir.path(), "l.lock", LockMode::exclusive, waiting, "the thing");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lines,
            std::vector<std::string>{"waiting for process " + std::to_string(other.pid()) + ", which holds the thing"});
}

TEST(Lock, WaitsUntilItIsFree) {
  TempDir dir;
  auto first = take(dir, LockMode::exclusive);
  ASSERT_TRUE(first);
  std::thread release([&] {
    std::this_thread::sleep_for(milliseconds(50));
    auto dropped = std::move(first);
  });
  auto second = Lock::acquire(dir.path(), "l.lock", LockMode::exclusive, Waiting{}, "the thing");
  release.join();
  EXPECT_TRUE(second);
}

TEST(Lock, MissingDirectoryIsMade) {
  TempDir dir;
  auto lock = Lock::acquire(dir / "a/b", "l.lock", LockMode::exclusive, Waiting{}, "the thing");
  EXPECT_TRUE(lock);
}

std::string foreign_lease(const std::string& boot) {
  return "udocker-lease-1 host=elsewhere boot=" + boot + " pidns=pid:[1] pid=1 start=1";
}

TEST(Lease, OfAnotherHostEndsWhenItIsNotRenewed) {
  TempDir dir;
  ASSERT_TRUE(symlink_at(foreign_lease("another-boot"), AT_FDCWD, dir / "l.lock.lease"));
  int result = test::without_flock(ENOLCK, [&] {
    auto refused = take(dir, LockMode::exclusive);
    if (refused || refused.error().text.find("process 1 on elsewhere") == std::string::npos) return 1;
    std::array<timespec, 2> old{};
    old[0].tv_sec = old[1].tv_sec = ::time(nullptr) - Lock::k_lease_time.count() - 60;
    if (::utimensat(AT_FDCWD, (dir / "l.lock.lease").c_str(), old.data(), AT_SYMLINK_NOFOLLOW) != 0) return 2;
    auto mine = take(dir, LockMode::exclusive);
    return mine && mine->taken_over() ? 0 : 3;
  });
  EXPECT_EQ(result, 0);
  EXPECT_TRUE(list_dir(dir.path())->empty());
}

TEST(Lease, UnreadableOneIsAliveUntilItIsOld) {
  TempDir dir;
  ASSERT_TRUE(write_file_atomic(dir / "l.lock.lease", ""));
  EXPECT_EQ(test::without_flock(ENOLCK, [&] { return take(dir, LockMode::exclusive) ? 1 : 0; }), 0);
}

TEST(Lease, ReusedProcessNumberIsNotTheHolder) {
  TempDir dir;
  auto boot = read_file("/proc/sys/kernel/random/boot_id");
  auto space = readlink_at(AT_FDCWD, "/proc/self/ns/pid");
  ASSERT_TRUE(boot && space);
  ASSERT_TRUE(symlink_at("udocker-lease-1 host=h boot=" + std::string(trim(*boot)) + " pidns=" + *space +
                             " pid=" + std::to_string(::getpid()) + " start=1",
                         AT_FDCWD, dir / "l.lock.lease"));
  EXPECT_EQ(test::without_flock(ENOLCK, [&] { return take(dir, LockMode::exclusive) ? 0 : 1; }), 0);
}

// Many processes count in one file, each step read, wait, write: only an exclusive lock makes the sum right. Some of
// them are killed, at any point.
int count_together(const TempDir& dir, int workers, int steps) {
  std::string file = dir / "count";
  if (!write_file_atomic(file, "0")) return 1;
  std::vector<pid_t> children;
  for (int i = 0; i < workers; ++i) {
    pid_t child = ::fork();
    if (child == 0) {
      for (int step = 0; step < steps; ++step) {
        auto lock = Lock::acquire(dir.path(), "l.lock", LockMode::exclusive, Waiting{}, "the count");
        if (!lock) ::_exit(2);
        auto value = parse_uint(*read_file(file));
        std::this_thread::yield();
        if (!value || !write_file_atomic(file, std::to_string(*value + 1))) ::_exit(3);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (int i = 0; i < 40; ++i) {
    pid_t victim = ::fork();
    if (victim == 0) {
      auto lock = Lock::acquire(dir.path(), "l.lock", LockMode::exclusive, Waiting{}, "the count");
      for (;;) ::pause();
    }
    std::this_thread::sleep_for(milliseconds(1 + i % 7));
    ::kill(victim, SIGKILL);
    ::waitpid(victim, nullptr, 0);
  }
  int bad = 0;
  for (pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) bad = 4;
  }
  auto total = parse_uint(*read_file(file));
  return bad != 0 ? bad : total == static_cast<std::uint64_t>(workers) * static_cast<std::uint64_t>(steps) ? 0 : 5;
}

TEST(Lock, ExcludesManyProcessesOfWhichSomeAreKilled) {
  TempDir dir;
  EXPECT_EQ(count_together(dir, 6, 30), 0);
}
TEST(Lease, ExcludesManyProcessesOfWhichSomeAreKilled) {
  TempDir dir;
  EXPECT_EQ(test::without_flock(EOPNOTSUPP, [&] { return count_together(dir, 4, 12); }), 0);
}

}  // namespace
}  // namespace udk::store
