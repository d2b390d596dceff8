// Disks that are full or cannot be written, and many processes at once.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <functional>
#include <random>
#include <thread>

#include "base/text.hpp"
#include "unit/store/kill_at.hpp"
#include "unit/store/scratch_store.hpp"

namespace udk::store {
namespace {

using test::pull;
using test::SampleImage;
using test::ScratchStore;
using test::tree_of;

const SampleImage k_small{R"({"os":"linux"})", {"one", "two"}};
const ImageName k_victim{"an/image", "1"};

SampleImage large(std::size_t bytes) { return {R"({"os":"linux"})", {"one", std::string(bytes, 'L')}}; }

// A repository on a file system of 2 MB, where one can be mounted; else the size of a file is limited to 1 MB.
class SmallDisk {
 public:
  SmallDisk() {
    if (!make_dirs(dir_ / "disk")) std::abort();
    mounted_ = ::mount("tmpfs", (dir_ / "disk").c_str(), "tmpfs", 0, "size=2m") == 0;
    if (!mounted_) {
      ::signal(SIGXFSZ, SIG_IGN);
      rlimit limit{1 << 20, RLIM_INFINITY};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (!create_repository(paths())) std::abort();
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2((dir_ / "disk").c_str(), MNT_DETACH);
    rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  [[nodiscard]] Paths paths() const { return Paths::under(dir_ / "disk/repo"); }
  [[nodiscard]] Store open() const { return std::move(*Store::open(paths())); }
  [[nodiscard]] Code expected() const { return mounted_ ? Code::no_space : Code::io; }

 private:
  udk::test::TempDir dir_;
  bool mounted_ = false;
};

TEST(Fault, DiskFullWhilePulling) {
  SmallDisk disk;
  auto store = disk.open();
  ASSERT_TRUE(pull(store, k_victim, k_small));
  auto before = tree_of(disk.paths().repos);
  auto failed = pull(store, k_victim, large(8 << 20));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, disk.expected()) << failed.error().text;
  EXPECT_EQ(tree_of(disk.paths().repos), before);
  ASSERT_TRUE(store.images().load(k_victim));
  // Nothing useless stays on the full disk, and the next attempt works.
  EXPECT_TRUE(pull(store, k_victim, large(700 << 10)));
  EXPECT_EQ(tree_of(disk.paths().layers).size(), 3U);
}

TEST(Fault, DiskFullWhileCreating) {
  SmallDisk disk;
  auto store = disk.open();
  {
    auto draft = store.containers().begin();
    ASSERT_TRUE(draft);
    auto failed = write_file_atomic_at(draft->root_fd(), "big", std::string(8 << 20, 'x'));
    ASSERT_FALSE(failed);
  }
  EXPECT_TRUE(tree_of(disk.paths().containers).empty());
  auto draft = store.containers().begin();
  ASSERT_TRUE(draft);
  EXPECT_TRUE(write_file_atomic_at(draft->root_fd(), "small", std::string(700 << 10, 'x')));
  EXPECT_TRUE(draft->publish("c"));
}

// Runs `work` in a child with a tmpfs of these options mounted on `dir`; 77: it may not be mounted.
int with_disk(const std::string& dir, const char* options, const std::function<int()>& work) {
  return test::in_child([&] {
    auto identity = "0 " + std::to_string(::geteuid()) + " 1";
    if (::unshare(CLONE_NEWNS) != 0) {
      if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return 77;
      auto map = open_at(AT_FDCWD, "/proc/self/uid_map", O_WRONLY);
      if (!map || !write_all(map->get(), as_bytes(identity))) return 77;
    }
    (void)::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("tmpfs", dir.c_str(), "tmpfs", 0, options) != 0) return 77;
    return work();
  });
}

// Everything is taken: the inodes, then the bytes.
void fill(const std::string& dir) {
  for (int i = 0; open_at(AT_FDCWD, dir + "/file" + std::to_string(i), O_WRONLY | O_CREAT, 0600); ++i) {
  }
  auto file = open_at(AT_FDCWD, dir + "/file0", O_WRONLY);
  while (file && write_all(file->get(), as_bytes(std::string(512, 'x')))) {
  }
}

// An image and a container that are there before the disk is filled are removed, and that makes room.
int remove_on_full_disk(const std::string& dir, bool inodes) {
  auto paths = Paths::under(dir + "/repo");
  if (!create_repository(paths)) return 1;
  auto store = std::move(*Store::open(paths));
  const ImageName other{"other", "1"};
  if (!pull(store, k_victim, k_small) || !pull(store, other, {R"({"os":"linux"})", {"three"}})) return 2;
  auto draft = store.containers().begin();
  if (!draft || !draft->set_config("{}") || !draft->publish("c")) return 3;
  auto id = draft->id();
  if (!inodes && !open_at(AT_FDCWD, dir + "/file0", O_WRONLY | O_CREAT, 0600)) return 4;
  fill(dir);
  if (pull(store, {"new", "1"}, k_small)) return 5;
  if (!store.containers().remove(id, Removal::normal) || store.containers().resolve("c")) return 6;
  fill(dir);
  if (!store.images().remove(k_victim, Removal::normal) || store.images().find(k_victim)) return 7;
  // The other one is whole, and nothing else is left.
  if (!store.images().load(other) || tree_of(paths.layers).size() != 2) return 8;
  if (exists(paths.repos + "/an") || !list_dir(paths.containers)->empty()) return 9;
  return 0;
}

TEST(Fault, FullDiskDoesNotKeepFromMakingRoom) {
  for (bool inodes : {true, false}) {
    udk::test::TempDir dir;
    const char* options = inodes ? "size=2m,nr_inodes=100" : "size=256k,nr_inodes=5000";
    int result = with_disk(dir.path(), options, [&] { return remove_on_full_disk(dir.path(), inodes); });
    if (result == 77) GTEST_SKIP() << "user-namespaces: nothing can be mounted";
    EXPECT_EQ(result, 0) << options;
  }
}

TEST(Fault, ReadOnlyRepository) {
  ScratchStore scratch;
  {
    auto store = scratch.open();
    ASSERT_TRUE(pull(store, k_victim, k_small));
    auto draft = store.containers().begin();
    ASSERT_TRUE(draft && draft->set_config("{}") && draft->publish("c"));
  }
  ASSERT_EQ(::chmod(scratch.outside().c_str(), 0755), 0);
  for (const auto& dir :
       {scratch.paths().top, scratch.paths().repos, scratch.paths().layers, scratch.paths().containers,
        scratch / ".state", scratch / ".state/repos", scratch / ".state/layers", scratch / ".state/containers"})
    ASSERT_EQ(::chmod(dir.c_str(), 0555), 0);
  int result = test::as_ordinary_user([&] {
    auto store = scratch.open();
    if (store.images().list()->size() != 1 || store.containers().list()->size() != 1) return 1;
    auto id = store.containers().resolve("c");
    if (!store.images().load(k_victim) || !id) return 2;
    auto pinned = store.images().pin(k_victim);
    if (!pinned || pinned->pin) return 3;
    auto used = store.containers().use(*id);
    if (!used || *used) return 4;
    for (const auto& refused :
         {pull(store, {"new", "1"}, k_small), store.images().remove(k_victim, Removal::force),
          store.images().protect(k_victim, Protection::on), store.containers().add_alias(*id, "d"),
          store.containers().remove(*id, Removal::force), store.containers().set_execution_mode(*id, "P1")}) {
      if (refused || refused.error().code != Code::denied || refused.error().sys_errno == 0) return 5;
    }
    if (store.containers().begin() || store.containers().begin().error().code != Code::denied) return 6;
    return store.images().load(k_victim) ? 0 : 7;
  });
  EXPECT_EQ(result, 0);
  ASSERT_EQ(::chmod(scratch.paths().top.c_str(), 0755), 0);
}

TEST(Fault, TwoProcessesPullTheSameTag) {
  ScratchStore scratch(test::Where::memory);
  auto sample = large(300000);
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    pid_t child = ::fork();
    if (child == 0) {
      auto store = scratch.open();
      for (int turn = 0; turn < 5; ++turn) {
        if (!pull(store, k_victim, turn % 2 == 0 ? sample : k_small)) ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  auto image = scratch.open().images().load(k_victim);
  ASSERT_TRUE(image);
  EXPECT_EQ(tree_of(scratch / "layers").size(), 3U);
}

TEST(Fault, OneOfManyGetsTheName) {
  ScratchStore scratch(test::Where::memory);
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    pid_t child = ::fork();
    if (child == 0) {
      auto draft = scratch.open().containers().begin();
      if (!draft) ::_exit(2);
      auto done = draft->publish("wanted");
      int status = done ? 0 : done.error().code == Code::exists ? 1 : 3;
      *draft = std::move(*scratch.open().containers().begin());  // the loser's draft goes
      ::_exit(status);
    }
    children.push_back(child);
  }
  std::vector<int> ends;
  for (pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    ends.push_back(WEXITSTATUS(status));
  }
  std::sort(ends.begin(), ends.end());
  EXPECT_EQ(ends, (std::vector<int>{0, 1, 1, 1, 1, 1}));
  EXPECT_EQ(list_dir(scratch / "containers")->size(), 2U);
}

// One process of the soak: anything, for ever, until it is killed.
void work_for_ever(const ScratchStore& scratch, unsigned seed) {
  std::mt19937 random(seed);
  auto store = scratch.open();
  const std::vector<SampleImage> samples{k_small, large(100000), {R"({"os":"linux","x":1})", {"one", "three"}}};
  for (;;) {
    ImageName name{"soak/" + std::to_string(random() % 3), std::to_string(random() % 2)};
    switch (random() % 6) {
      case 0:
        (void)store.images().remove(name, Removal::normal);
        break;
      case 1:
        (void)store.images().tag(name, {"soak/copy", std::to_string(random() % 2)});
        break;
      case 2: {
        auto pinned = store.images().pin(name);
        auto draft = store.containers().begin();
        if (!pinned || !draft) break;
        for (const auto& layer : pinned->data.layers) {
          if (!store.blobs().verify(*layer.digest)) ::_exit(1);
        }
        (void)draft->set_config(pinned->data.config);
        (void)draft->publish("c" + std::to_string(random() % 4));
        break;
      }
      case 3:
        if (auto id = store.containers().resolve("c" + std::to_string(random() % 4)))
          (void)store.containers().remove(*id, Removal::normal);
        break;
      default:
        if (auto done = pull(store, name, samples[random() % samples.size()]); !done) ::_exit(2);
    }
  }
}

TEST(Fault, SoakWithRandomKills) {
  ScratchStore scratch(test::Where::memory);
  std::mt19937 random(7);
  std::vector<pid_t> children(8, -1);
  int wrong = 0;
  auto end = [&](pid_t& child) {
    int status = 0;
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) ++wrong;
    child = -1;
  };
  for (int round = 0; round < 150; ++round) {
    pid_t& child = children[random() % children.size()];
    if (child > 0) end(child);
    unsigned seed = static_cast<unsigned>(random());
    child = ::fork();
    if (child == 0) work_for_ever(scratch, seed);
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 30));
  }
  for (pid_t& child : children) {
    if (child > 0) end(child);
  }
  EXPECT_EQ(wrong, 0);
  auto store = scratch.open();
  store.sweep(std::chrono::seconds(0));
  auto images = store.images().list();
  ASSERT_TRUE(images);
  std::vector<std::string> needed;
  for (const auto& image : *images) {
    auto data = store.images().load(image.name);
    ASSERT_TRUE(data) << data.error().text;
    needed.push_back(data->config_digest->text());
    for (const auto& layer : data->layers) {
      EXPECT_TRUE(store.blobs().verify(*layer.digest));
      needed.push_back(layer.name);
    }
  }
  std::sort(needed.begin(), needed.end());
  needed.erase(std::unique(needed.begin(), needed.end()), needed.end());
  EXPECT_EQ(tree_of(scratch / "layers"), needed);
  auto containers = store.containers().list();
  ASSERT_TRUE(containers);
  for (const auto& container : *containers) EXPECT_EQ(container.aliases.size(), 1U) << container.id;
  EXPECT_EQ(list_dir(scratch / "containers")->size(), 2 * containers->size());
  for (const auto& path : tree_of(scratch / ".state")) {
    bool lasting = path.ends_with("/") || path.starts_with("repos/manifests/") || path.ends_with("/lock");
    EXPECT_TRUE(lasting) << path;
    EXPECT_FALSE(path.find("draft-") != std::string::npos || path.find("trash-") != std::string::npos) << path;
  }
}

}  // namespace
}  // namespace udk::store
