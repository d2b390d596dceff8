#include <sys/stat.h>

#include <algorithm>

#include "archive/owner_record.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "unit/store/kill_at.hpp"
#include "unit/store/scratch_store.hpp"

namespace udk::store {
namespace {

using test::ScratchStore;
using test::tree_of;

// A container with one file in it; its id.
Result<std::string> create(const Store& store, const std::string& alias) {
  TRY_ASSIGN(ContainerDraft draft, store.containers().begin());
  TRY(draft.set_image("debian:12"));
  TRY(draft.set_config("{\"os\":\"linux\",\n\"architecture\":\"amd64\"}"));
  TRY(make_dirs_at(draft.root_fd(), "etc"));
  TRY(write_file_atomic_at(draft.root_fd(), "etc/passwd", "root:x:0:0::/root:/bin/sh\n"));
  std::string id = draft.id();
  TRY(draft.publish(alias));
  return id;
}

std::vector<std::string> leftovers(const ScratchStore& scratch) {
  auto names = list_dir(scratch / ".state/containers");
  return names ? *names : std::vector<std::string>();
}

TEST(Container, TopOfTheTreeIsOpenWhateverTheUmask) {
  ScratchStore scratch;
  auto store = scratch.open();
  const auto before = ::umask(077);
  auto id = create(store, "web");
  ::umask(before);
  ASSERT_TRUE(id) << id.error().text;
  struct stat status {};
  ASSERT_EQ(::stat(store.containers().root(*id).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0755U);
  ASSERT_EQ(::stat(store.containers().entry(*id)->dir.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST(Container, LayoutOnDisk) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto id = create(store, "web");
  ASSERT_TRUE(id) << id.error().text;
  EXPECT_EQ(tree_of(scratch / "containers"),
            (std::vector<std::string>{*id + "/", *id + "/ROOT/", *id + "/ROOT/etc/", *id + "/ROOT/etc/passwd",
                                      *id + "/container.json", *id + "/imagerepo.name", "web -> " + *id}));
  EXPECT_EQ(*read_file(scratch / ("containers/" + *id + "/imagerepo.name")), "debian:12");
  EXPECT_EQ(*store.containers().config(*id), R"({"os": "linux", "architecture": "amd64"})");
  EXPECT_EQ(store.containers().platform(*id), "linux/amd64");
  auto entry = store.containers().entry(*id);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->image, "debian:12");
  EXPECT_EQ(entry->aliases, std::vector<std::string>{"web"});
  EXPECT_EQ(entry->root_state, RootState::writable);
  EXPECT_TRUE(entry->has_metadata);
  EXPECT_TRUE(leftovers(scratch).empty());
}

TEST(Container, NotListedBeforeItIsWhole) {
  ScratchStore scratch;
  auto store = scratch.open();
  {
    auto draft = store.containers().begin();
    ASSERT_TRUE(draft);
    EXPECT_TRUE(tree_of(scratch / "containers").empty());
    scratch.open().sweep();
    EXPECT_TRUE(is_dir(draft->root()));
    ASSERT_TRUE(make_dirs_at(draft->root_fd(), "locked", 0));
  }
  EXPECT_TRUE(leftovers(scratch).empty());
}

TEST(Container, NamesOfADraft) {
  ScratchStore scratch;
  auto store = scratch.open();
  ASSERT_TRUE(create(store, "taken"));
  auto draft = store.containers().begin();
  EXPECT_EQ(draft->publish("taken").error().code, Code::exists);
  EXPECT_EQ(draft->publish("a.b").error().code, Code::usage);
  EXPECT_EQ(store.containers().list()->size(), 1U);
  ASSERT_TRUE(draft->publish("free"));
  EXPECT_EQ(store.containers().resolve("free"), draft->id());
}

TEST(Container, Aliases) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto containers = store.containers();
  auto id = create(store, "");
  ASSERT_TRUE(id);
  ASSERT_TRUE(containers.add_alias(*id, "one"));
  EXPECT_EQ(*readlink_at(AT_FDCWD, scratch / "containers/one"), *id);
  EXPECT_EQ(containers.add_alias(*id, "one").error().code, Code::exists);
  EXPECT_EQ(containers.add_alias(*id, *id).error().code, Code::exists);
  EXPECT_EQ(containers.add_alias("none", "two").error().code, Code::not_found);
  ASSERT_TRUE(containers.rename_alias("one", "two"));
  EXPECT_EQ(containers.rename_alias("one", "three").error().code, Code::not_found);
  EXPECT_EQ(containers.rename_alias(*id, "three").error().code, Code::usage);
  ASSERT_TRUE(containers.add_alias(*id, "three"));
  EXPECT_EQ(containers.rename_alias("two", "three").error().code, Code::exists);
  EXPECT_EQ(containers.rename_alias("two", "b.d").error().code, Code::usage);
  ASSERT_TRUE(containers.remove_alias("two"));
  EXPECT_EQ(containers.remove_alias("two").error().code, Code::not_found);
  EXPECT_EQ(containers.remove_alias(*id).error().code, Code::not_found);
  EXPECT_EQ(containers.entry(*id)->aliases, std::vector<std::string>{"three"});
}

TEST(Container, NamesThatAreNone) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto id = create(store, "");
  for (const std::string& name : std::vector<std::string>{"", "a/b", "a.b", "a b", "[a", "a]", "a\nb", "\x1b[1m",
                                                          "a\x7f", "..", std::string(256, 'x'), std::string(2049, 'x')})
    EXPECT_EQ(store.containers().add_alias(*id, name).error().code, Code::usage) << printable(name);
  EXPECT_TRUE(store.containers().add_alias(*id, std::string(255, 'x')));
  for (const std::string& name : std::vector<std::string>{"", ".", "..", "../containers", ".state", "/etc", "x\n"}) {
    EXPECT_EQ(store.containers().resolve(name).error().code, Code::not_found) << printable(name);
    EXPECT_EQ(store.containers().remove(name, Removal::force).error().code, Code::not_found) << printable(name);
  }
}

TEST(Container, ALinkToNothingIsAFreeName) {
  ScratchStore scratch;
  auto store = scratch.open();
  ASSERT_TRUE(symlink_at("00000000-0000-3000-8000-000000000000", AT_FDCWD, scratch / "containers/web"));
  EXPECT_EQ(store.containers().resolve("web").error().code, Code::not_found);
  EXPECT_TRUE(store.containers().list()->empty());
  auto id = create(store, "web");
  ASSERT_TRUE(id);
  EXPECT_EQ(store.containers().resolve("web"), *id);
}

TEST(Container, Remove) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto id = create(store, "web");
  ASSERT_TRUE(store.containers().add_alias(*id, "w2"));
  ASSERT_TRUE(store.containers().protect(*id, Protection::on));
  auto refused = store.containers().remove(*id, Removal::force);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_EQ(refused.error().sys_errno, 0);
  ASSERT_TRUE(store.containers().protect(*id, Protection::off));
  ASSERT_TRUE(store.containers().remove(*id, Removal::normal));
  EXPECT_TRUE(tree_of(scratch / "containers").empty());
  EXPECT_TRUE(leftovers(scratch).empty());
  EXPECT_EQ(store.containers().remove(*id, Removal::normal).error().code, Code::not_found);
}

TEST(Container, InUseIsRemovedWithForceOnly) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto id = create(store, "");
  auto used = store.containers().use(*id);
  ASSERT_TRUE(used && *used);
  auto also = scratch.open().containers().use(*id);
  ASSERT_TRUE(also && *also);
  EXPECT_EQ(scratch.open().containers().remove(*id, Removal::normal).error().code, Code::busy);
  *used = {};
  EXPECT_EQ(scratch.open().containers().remove(*id, Removal::normal).error().code, Code::busy);
  EXPECT_TRUE(scratch.open().containers().remove(*id, Removal::force));
  *also = {};
  EXPECT_TRUE(leftovers(scratch).empty());
}

TEST(Container, TheLastUserRemovesWithForceUnused) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto id = create(store, "web");
  {
    auto used = store.containers().use(*id);
    ASSERT_TRUE(used && *used);
    EXPECT_EQ(scratch.open().containers().remove(*id, Removal::force_unused).error().code, Code::busy);
    EXPECT_EQ(store.containers().resolve("web"), *id);
  }
  ASSERT_EQ(::chmod((store.containers().root(*id) + "/etc").c_str(), 0), 0);
  EXPECT_TRUE(scratch.open().containers().remove(*id, Removal::force_unused));
  EXPECT_TRUE(tree_of(scratch / "containers").empty());
  EXPECT_TRUE(leftovers(scratch).empty());
}

TEST(Container, RemoveOfUnreadableDirectoriesIsAllOrNothing) {
  ScratchStore scratch;
  if (::geteuid() == 0) {
    ASSERT_EQ(::chmod(scratch.outside().c_str(), 0777), 0);
    auto run = run_captured({"chown", "-R", "65534:65534", scratch.paths().top}, {std::chrono::seconds(60)});
    ASSERT_TRUE(run && run->status == 0);
  }
  int failed = test::as_ordinary_user([&] {
    auto store = scratch.open();
    auto id = create(store, "web");
    if (!id || !make_dirs(store.containers().root(*id) + "/secret/inner")) return 1;
    std::string secret = store.containers().root(*id) + "/secret";
    if (::chmod(secret.c_str(), 0) != 0) return 2;
    auto before = store.containers().remove(*id, Removal::normal);
    if (before || before.error().code != Code::denied || before.error().sys_errno != EACCES) return 3;
    if (store.containers().resolve("web") != *id || !exists(store.containers().root(*id) + "/etc/passwd")) return 4;
    if (!store.containers().remove(*id, Removal::force)) return 5;
    if (store.containers().resolve("web") || !store.containers().list()->empty()) return 6;
    return 0;
  });
  EXPECT_EQ(failed, 0);
  EXPECT_TRUE(leftovers(scratch).empty());
}

TEST(Container, ExecutionMode) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto id = create(store, "");
  EXPECT_FALSE(store.containers().execution_mode(*id));
  ASSERT_TRUE(store.containers().set_execution_mode(*id, "P2"));
  std::string dir = store.containers().dir(*id);
  EXPECT_EQ(*read_file(dir + "/execmode"), "P2");
  EXPECT_EQ(*read_file(dir + "/root.path"), *real_path(dir + "/ROOT"));
  EXPECT_EQ(store.containers().execution_mode(*id), "P2");
  EXPECT_EQ(store.containers().set_execution_mode("none", "P1").error().code, Code::not_found);
}

TEST(Container, Owners) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto id = create(store, "");
  archive::OwnerRecord owners;
  owners.set("etc/shadow", {0, 42, 0640});
  ASSERT_TRUE(store.containers().set_owners(*id, owners));
  auto back = store.containers().owners(*id);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->find("etc/shadow"), (archive::Ownership{0, 42, 0640}));
  owners.clear();
  ASSERT_TRUE(store.containers().set_owners(*id, owners));
  EXPECT_TRUE(store.containers().owners(*id)->empty());
  EXPECT_FALSE(exists(store.containers().dir(*id) + "/owners"));
}

TEST(Container, SizeAsDu) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto id = create(store, "");
  std::string root = store.containers().root(*id);
  ASSERT_TRUE(write_file_atomic(root + "/big", std::string(3500000, 'x')));
  ASSERT_EQ(::link((root + "/big").c_str(), (root + "/same").c_str()), 0);
  auto run = run_captured({"du", "-s", "-m", "-x", root}, {std::chrono::seconds(60)});
  ASSERT_TRUE(run);
  EXPECT_EQ(std::to_string(*store.containers().size_mb(*id)), run->out.substr(0, run->out.find('\t')));
}

TEST(Container, PurgeOfMountPoints) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto id = *create(store, "");
  std::string root = store.containers().root(id);
  std::string record = store.containers().dir(id) + "/.mountpoints";
  EXPECT_TRUE(store.containers().purge_mount_points(id));
  ASSERT_TRUE(make_dirs(record));
  ASSERT_TRUE(make_dirs(root + "/mnt/d1/d2"));
  ASSERT_TRUE(make_dirs(root + "/data/used"));
  ASSERT_TRUE(write_file_atomic(root + "/data/used/file", "x"));
  ASSERT_TRUE(write_file_atomic(root + "/etc/host.conf", ""));
  ASSERT_TRUE(make_dirs(scratch / "victim/empty"));
  ASSERT_TRUE(symlink_at(scratch / "victim", AT_FDCWD, root + "/evil"));
  const std::vector<std::pair<std::string, std::string>> links{
      {"#mnt#d1#d2", "#"},
      {"#etc#host.conf", "#etc"},
      {"#data#used", "#"},
      // The Python tool records the image's own files like this.
      {"#etc#passwd", "#etc"},
      {"#evil#empty", "#evil"},
      {"#..#..#victim#empty", "#"},
      {"#gone#below", "#"}};
  for (const auto& [name, ancestor] : links) ASSERT_TRUE(symlink_at(ancestor, AT_FDCWD, record + "/" + name));
  ASSERT_TRUE(store.containers().purge_mount_points(id));
  EXPECT_EQ(tree_of(root), (std::vector<std::string>{"data/", "data/used/", "data/used/file", "etc/", "etc/passwd",
                                                     "evil -> " + (scratch / "victim")}));
  EXPECT_TRUE(is_dir(scratch / "victim/empty"));
  EXPECT_FALSE(exists(record));
}

TEST(Container, BoundFilesComeBack) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto id = *create(store, "");
  const std::string root = store.containers().root(id);
  const std::string originals = store.containers().dir(id) + "/.bind_orig_files";
  EXPECT_TRUE(store.containers().restore_bound_files(id));
  ASSERT_TRUE(make_dirs(originals));
  ASSERT_TRUE(make_dirs(root + "/.bind_host_files"));
  ASSERT_TRUE(make_dirs(scratch / "victim"));
  ASSERT_TRUE(symlink_at(scratch / "victim", AT_FDCWD, root + "/evil"));
  for (const char* name : {"#etc#group", "#etc#hosts", "#evil#hosts"})
    ASSERT_TRUE(write_file_atomic(originals + "/" + name, "original"));
  ASSERT_TRUE(symlink_at("/.bind_host_files/#etc#group", AT_FDCWD, root + "/etc/group"));
  ASSERT_TRUE(write_file_atomic(root + "/etc/hosts", "another"));
  EXPECT_FALSE(store.containers().restore_bound_files(id)) << "a link is in the way";
  ASSERT_EQ(::unlink((originals + "/#evil#hosts").c_str()), 0);
  ASSERT_TRUE(store.containers().restore_bound_files(id));
  EXPECT_EQ(*read_file(root + "/etc/group"), "original");
  EXPECT_EQ(*read_file(root + "/etc/hosts"), "another");
  EXPECT_FALSE(exists(root + "/.bind_host_files"));
  EXPECT_TRUE(exists(originals + "/#etc#hosts")) << "nothing is thrown away";
}

TEST(Container, OddRoots) {
  ScratchStore scratch;
  auto store = scratch.open();
  auto none = *create(store, "");
  auto file = *create(store, "");
  ASSERT_TRUE(remove_tree_at(AT_FDCWD, store.containers().root(none)));
  ASSERT_TRUE(remove_tree_at(AT_FDCWD, store.containers().root(file)));
  ASSERT_TRUE(write_file_atomic(store.containers().root(file), ""));
  EXPECT_EQ(store.containers().entry(none)->root_state, RootState::missing);
  EXPECT_EQ(store.containers().entry(file)->root_state, RootState::not_a_directory);
  ASSERT_TRUE(make_dirs(scratch / "containers/plain"));
  EXPECT_EQ(store.containers().entry("plain")->has_metadata, false);
  EXPECT_EQ(store.containers().config("plain").error().code, Code::not_found);
  EXPECT_EQ(store.containers().list()->size(), 3U);
}

TEST(Container, ContainersMovedElsewhereShowNoWorkingFiles) {
  udk::test::TempDir dir;
  Paths paths = Paths::under(dir / "top");
  paths.containers = dir / "scratch/containers";
  ASSERT_TRUE(create_repository(paths));
  auto store = *Store::open(paths);
  auto id = create(store, "web");
  ASSERT_TRUE(id);
  EXPECT_EQ(list_dir(paths.containers)->size(), 2U);
  ASSERT_TRUE(store.containers().set_execution_mode(*id, "P1"));
  ASSERT_TRUE(store.containers().remove(*id, Removal::normal));
  EXPECT_TRUE(list_dir(paths.containers)->empty());
}

TEST(ContainerKilled, WhileCreated) {
  for (int step = 1;; ++step) {
    ScratchStore scratch(test::Where::memory);
    auto store = scratch.open();
    auto other = create(store, "other");
    bool killed = test::killed_at(step, [&] { (void)create(store, "web"); });
    auto list = store.containers().list();
    ASSERT_TRUE(list);
    if (auto id = store.containers().resolve("web")) {
      EXPECT_TRUE(store.containers().config(*id));
      EXPECT_TRUE(exists(store.containers().root(*id) + "/etc/passwd"));
      ASSERT_TRUE(store.containers().remove(*id, Removal::normal));
    } else {
      EXPECT_EQ(list->size(), 1U);
    }
    auto again = create(store, "web");
    ASSERT_TRUE(again) << "step " << step << ": " << again.error().text;
    EXPECT_EQ(store.containers().resolve("other"), *other);
    EXPECT_EQ(list_dir(scratch / "containers")->size(), 4U);
    EXPECT_TRUE(leftovers(scratch).empty()) << join(leftovers(scratch), " ");
    if (::testing::Test::HasFailure()) FAIL() << "killed before step " << step;
    if (!killed) break;
  }
}

TEST(ContainerKilled, WhileRemoved) {
  for (int step = 1;; ++step) {
    ScratchStore scratch(test::Where::memory);
    auto store = scratch.open();
    auto id = create(store, "web");
    ASSERT_TRUE(store.containers().add_alias(*id, "w2"));
    bool killed = test::killed_at(step, [&] { (void)store.containers().remove(*id, Removal::normal); });
    // Whole or gone.
    if (store.containers().entry(*id)) {
      EXPECT_EQ(store.containers().entry(*id)->aliases.size(), 2U);
      EXPECT_TRUE(exists(store.containers().root(*id) + "/etc/passwd"));
      ASSERT_TRUE(store.containers().remove(*id, Removal::normal));
    }
    store.sweep();
    EXPECT_TRUE(tree_of(scratch / "containers").empty());
    EXPECT_TRUE(leftovers(scratch).empty()) << join(leftovers(scratch), " ");
    if (::testing::Test::HasFailure()) FAIL() << "killed before step " << step;
    if (!killed) break;
  }
}

TEST(ContainerKilled, WhileRenamed) {
  for (int step = 1;; ++step) {
    ScratchStore scratch(test::Where::memory);
    auto store = scratch.open();
    auto id = create(store, "old");
    bool killed = test::killed_at(step, [&] { (void)store.containers().rename_alias("old", "new"); });
    EXPECT_FALSE(store.containers().entry(*id)->aliases.empty());
    if (::testing::Test::HasFailure()) FAIL() << "killed before step " << step;
    if (!killed) break;
  }
}

}  // namespace
}  // namespace udk::store
