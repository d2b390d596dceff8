#include "xlate/resolve.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "unit/xlate/memory_host.hpp"

namespace udk::xlate {
namespace {

using test::MemoryHost;

// The root is /r; /data and a file are bound, /mnt and /mnt/deep are glue that the image lacks.
class Resolve : public ::testing::Test {
 protected:
  Resolve() {
    host_.dir("/r/etc/ssl").dir("/r/usr/bin").dir("/r/usr/lib").dir("/r/home/u").dir("/r/proc").dir("/etc");
    host_.file("/r/usr/bin/sh").file("/r/etc/passwd").file("/etc/passwd").file("/host/hosts");
    host_.dir("/host/data/sub").file("/host/data/sub/f").dir("/glue/0/deep").dir("/host/vol");
    host_.link("/r/bin", "usr/bin").link("/r/lib", "/usr/lib").link("/r/etc/mtab", "../proc/mounts");
    host_.link("/r/loop", "loop").link("/r/a", "b").link("/r/b", "a").link("/r/out", "../../../../etc/passwd");
    host_.link("/r/abs", "/etc/passwd").link("/r/dangling", "/nowhere/x").link("/r/dirlink", "/etc/ssl/");
    host_.link("/host/data/up", "../x").link("/host/data/abs", "/etc/passwd").link("/r/todata", "/data/sub");
    host_.link("/r/dots", "/usr/../etc/./passwd").link("/r/slash", "/").link("/r/empty", "");
    host_.kernel_link("/r/proc/cwd", LinkKind::jump, "/home/u").kernel_link("/r/proc/pipe", LinkKind::open, "");
    host_.kernel_link("/r/proc/fd3", LinkKind::open, "/data/sub").kernel_link("/r/proc/root", LinkKind::jump, "/");
    mounts_ = {{"", "/r", MountKind::root, false},
               {"/data", "/host/data", MountKind::bind, true},
               {"/etc/hosts", "/host/hosts", MountKind::bind, false},
               {"/mnt", "/glue/0", MountKind::glue, false},
               {"/mnt/deep/vol", "/host/vol", MountKind::bind, false}};
  }

  std::string host_of(std::string_view path, Final final = Final::follow, std::string_view start = "",
                      unsigned confine = 0, std::string_view root = "") {
    const View view{{mounts_.data(), mounts_.size()}, root};
    const int e = resolver_->resolve(view, {start, {}}, path, final, confine, *at_);
    return e == 0 ? std::string(at_->host.view()) : "error " + std::to_string(-e);
  }
  std::string guest() const { return std::string(at_->guest.view()); }
  static std::string error(int e) { return "error " + std::to_string(e); }

  MemoryHost host_;
  std::vector<Mount> mounts_;
  std::unique_ptr<Resolver<MemoryHost>> resolver_ = std::make_unique<Resolver<MemoryHost>>(host_);
  std::unique_ptr<Resolution> at_ = std::make_unique<Resolution>();
};

TEST_F(Resolve, PlainPaths) {
  EXPECT_EQ(host_of("/"), "/r");
  EXPECT_EQ(guest(), "");
  EXPECT_EQ(host_of("/etc/passwd"), "/r/etc/passwd");
  EXPECT_EQ(host_of("//etc///passwd"), "/r/etc/passwd");
  EXPECT_EQ(host_of("/etc/./passwd"), "/r/etc/passwd");
  EXPECT_EQ(host_of("passwd", Final::follow, "/etc"), "/r/etc/passwd");
  EXPECT_EQ(host_of("./../usr", Final::follow, "/etc"), "/r/usr");
  EXPECT_EQ(host_of("/etc/new"), "/r/etc/new");
  EXPECT_EQ(host_of("/no/new"), error(ENOENT));
  EXPECT_EQ(host_of(""), error(ENOENT));
}

TEST_F(Resolve, LinksStayInside) {
  EXPECT_EQ(host_of("/bin/sh"), "/r/usr/bin/sh");
  EXPECT_EQ(host_of("/lib/x.so"), "/r/usr/lib/x.so");
  EXPECT_EQ(guest(), "/usr/lib/x.so");
  EXPECT_EQ(host_of("/abs"), "/r/etc/passwd");
  EXPECT_EQ(host_of("/out"), "/r/etc/passwd");
  EXPECT_EQ(host_of("/dots"), "/r/etc/passwd");
  EXPECT_EQ(host_of("/slash"), "/r");
  EXPECT_EQ(host_of("/slash/etc"), "/r/etc");
  EXPECT_EQ(host_of("/dangling"), error(ENOENT));
  EXPECT_EQ(host_of("/etc/mtab"), "/r/proc/mounts");
  EXPECT_EQ(host_of("/empty"), error(ENOENT));
}

TEST_F(Resolve, ParentOfRootIsRoot) {
  EXPECT_EQ(host_of("/../../etc/passwd"), "/r/etc/passwd");
  EXPECT_EQ(host_of("../../../..", Final::follow, "/home/u"), "/r");
  EXPECT_EQ(host_of("/usr/bin/../lib"), "/r/usr/lib");
  EXPECT_EQ(host_of("/bin/../lib"), "/r/usr/lib") << "'..' is taken after the link";
}

TEST_F(Resolve, ParentNeedsADirectory) {
  EXPECT_EQ(host_of("/etc/passwd/.."), error(ENOTDIR));
  EXPECT_EQ(host_of("/etc/passwd/."), error(ENOTDIR));
  EXPECT_EQ(host_of("/etc/none/../passwd"), error(ENOENT));
  EXPECT_EQ(host_of("/etc/passwd/x/y"), error(ENOTDIR));
}

TEST_F(Resolve, Mounts) {
  EXPECT_EQ(host_of("/data/sub/f"), "/host/data/sub/f");
  EXPECT_EQ(at_->mount, 1U);
  EXPECT_FALSE(at_->mount_point);
  EXPECT_EQ(host_of("/data"), "/host/data");
  EXPECT_TRUE(at_->mount_point);
  EXPECT_EQ(host_of("/database"), "/r/database") << "a mount ends at a component";
  EXPECT_EQ(host_of("/data/.."), "/r") << "'..' of a mount is the guest's parent";
  EXPECT_EQ(host_of("/data/sub/../../etc"), "/r/etc");
  EXPECT_EQ(host_of("/data/up"), "/r/x") << "a link out of a mount goes on in the guest's view";
  EXPECT_EQ(host_of("/data/abs"), "/r/etc/passwd");
  EXPECT_EQ(host_of("/todata/f"), "/host/data/sub/f");
  EXPECT_EQ(host_of("/etc/hosts"), "/host/hosts");
  EXPECT_EQ(host_of("hosts", Final::follow, "/etc"), "/host/hosts");
}

TEST_F(Resolve, MountPointsThatTheImageLacks) {
  EXPECT_EQ(host_of("/mnt"), "/glue/0");
  EXPECT_EQ(host_of("/mnt/deep"), "/glue/0/deep");
  EXPECT_EQ(host_of("/mnt/deep/vol/x"), "/host/vol/x");
  EXPECT_EQ(host_of("..", Final::follow, "/mnt/deep/vol"), "/glue/0/deep");
  EXPECT_EQ(host_of("../..", Final::follow, "/mnt/deep"), "/r");
}

TEST_F(Resolve, LastComponent) {
  EXPECT_EQ(host_of("/abs", Final::keep), "/r/abs");
  EXPECT_EQ(host_of("/abs", Final::parent), "/r/abs");
  EXPECT_EQ(host_of("/dirlink/", Final::keep), "/r/etc/ssl/") << "a slash follows the link even for lstat";
  EXPECT_EQ(host_of("/dirlink/", Final::parent), "/r/dirlink/") << "names are never followed";
  EXPECT_EQ(host_of("/dirlink"), "/r/etc/ssl/");
  EXPECT_EQ(host_of("/etc/"), "/r/etc/");
  EXPECT_TRUE(at_->trailing_slash);
  EXPECT_EQ(guest(), "/etc");
  (void)host_of("/etc/.");
  EXPECT_EQ(at_->last, Last::dot);
  (void)host_of("/etc/..");
  EXPECT_EQ(at_->last, Last::dotdot);
  (void)host_of("///");
  EXPECT_EQ(at_->last, Last::root);
  (void)host_of("/etc/passwd");
  EXPECT_EQ(at_->last, Last::name);
}

TEST_F(Resolve, Loops) {
  EXPECT_EQ(host_of("/loop"), error(ELOOP));
  EXPECT_EQ(host_of("/a/x"), error(ELOOP));
  EXPECT_EQ(host_of("/loop", Final::keep), "/r/loop");
  for (int i = 0; i < 41; ++i) host_.link("/r/n" + std::to_string(i), "n" + std::to_string(i + 1));
  host_.file("/r/n41");
  EXPECT_EQ(host_of("/n1"), "/r/n41") << "40 links are allowed";
  EXPECT_EQ(host_of("/n0"), error(ELOOP));
}

TEST_F(Resolve, Lengths) {
  const std::string name(255, 'n');
  EXPECT_EQ(host_of("/" + name), "/r/" + name);
  std::string deep;
  while (deep.size() + 2 < k_path_max) deep += "/.";
  EXPECT_EQ(host_of(deep), "/r");
  EXPECT_EQ(host_of(std::string(k_path_max, '/')), error(ENAMETOOLONG));
  EXPECT_EQ(host_of(std::string(k_path_max - 1, '/')), "/r");
  // The host path may be longer than PATH_MAX although the guest's is not.
  std::string longest;
  for (int i = 0; i < 15; ++i) {
    longest += "/" + name;
    host_.dir("/r" + longest);
  }
  longest += "/" + std::string(k_path_max - 2 - longest.size(), 'x');
  EXPECT_EQ(host_of(longest), "/r" + longest);
  // Links can make it longer still, until the buffers end.
  const std::string up = longest.substr(0, longest.rfind('/'));
  EXPECT_EQ(host_of("x/" + name + "/y", Final::follow, up), error(ENOENT));
}

TEST_F(Resolve, KernelLinks) {
  EXPECT_EQ(host_of("/proc/cwd"), "/r/home/u");
  EXPECT_EQ(host_of("/proc/cwd/x"), "/r/home/u/x");
  EXPECT_EQ(host_of("/proc/root/etc"), "/r/etc");
  EXPECT_EQ(host_of("/proc/fd3"), "/r/proc/fd3") << "at the end only the kernel can follow it";
  EXPECT_TRUE(at_->kernel_link);
  EXPECT_EQ(at_->mount, 1U) << "but it counts as a file of its mount";
  EXPECT_EQ(host_of("/proc/fd3/f"), "/host/data/sub/f");
  EXPECT_EQ(host_of("/proc/pipe"), "/r/proc/pipe");
  EXPECT_EQ(host_of("/proc/pipe/x"), "/r/proc/pipe/x");
  EXPECT_TRUE(at_->nameless);
  EXPECT_EQ(host_of("/proc/pipe", Final::keep), "/r/proc/pipe");
  EXPECT_FALSE(at_->kernel_link);
}

// A result is used again and again: what the kernel is left to find out says nothing of the path before it.
TEST_F(Resolve, ResultsForgetTheOnesBefore) {
  EXPECT_EQ(host_of("/data/"), "/host/data/");
  EXPECT_TRUE(at_->mount_point);
  EXPECT_TRUE(at_->trailing_slash);
  EXPECT_EQ(host_of("/proc/pipe/x"), "/r/proc/pipe/x");
  EXPECT_TRUE(at_->nameless);
  EXPECT_FALSE(at_->mount_point);
  EXPECT_FALSE(at_->trailing_slash);
}

TEST_F(Resolve, ChangedRoot) {
  host_.link("/r/home/u/l", "/bin").dir("/r/home/u/bin");
  EXPECT_EQ(host_of("/", Final::follow, "", 0, "/home"), "/r/home");
  EXPECT_EQ(host_of("/../u", Final::follow, "", 0, "/home"), "/r/home/u");
  EXPECT_EQ(host_of("/l", Final::follow, "", 0, "/home/u"), "/r/home/u/bin");
  EXPECT_EQ(host_of("../../..", Final::follow, "/home/u", 0, "/home"), "/r/home");
  EXPECT_EQ(host_of("..", Final::follow, "/usr/bin", 0, "/home"), "/r/usr") << "a directory outside of the root";
}

// A current directory that has no name any more: the kernel's link to it stands for it.
TEST_F(Resolve, NamelessStart) {
  host_.dir("/proc/7/cwd/sub").link("/proc/7/cwd/abs", "/etc/passwd").link("/proc/7/cwd/rel", "sub/../x");
  const View view{{mounts_.data(), mounts_.size()}, {}};
  auto host = [&](std::string_view path, unsigned confine = 0) {
    const int e = resolver_->resolve(view, {{}, "/proc/7/cwd"}, path, Final::follow, confine, *at_);
    return e == 0 ? std::string(at_->host.view()) : error(-e);
  };
  EXPECT_EQ(host("x"), "/proc/7/cwd/x");
  EXPECT_TRUE(at_->nameless);
  EXPECT_EQ(host("."), "/proc/7/cwd/.");
  EXPECT_EQ(host("sub/.."), "/proc/7/cwd/.");
  EXPECT_EQ(host("../y"), "/proc/7/cwd/../y");
  EXPECT_EQ(host("rel"), "/proc/7/cwd/x");
  EXPECT_EQ(host("abs"), "/r/etc/passwd") << "absolute links lead back into the guest's view";
  EXPECT_FALSE(at_->nameless);
  EXPECT_EQ(host("/etc"), "/r/etc");
  EXPECT_EQ(host("..", k_beneath), error(EXDEV));
  EXPECT_EQ(host("../x", k_in_start), "/proc/7/cwd/x");
  EXPECT_EQ(host("abs", k_in_start), error(ENOENT)) << "/etc of the start";
}

// Above a directory without a name there is one that has a name again.
TEST_F(Resolve, UpFromADeletedDirectory) {
  const View view{{mounts_.data(), mounts_.size()}, {}};
  host_.dir("/proc/7/fd/3").dir_name("/proc/7/fd/3/..", "/data/sub");
  ASSERT_EQ(resolver_->resolve(view, {{}, "/proc/7/fd/3", 1}, "../../../../../etc", Final::follow, 0, *at_), 0);
  EXPECT_EQ(at_->host.view(), "/r/etc") << "never above the root";
  EXPECT_FALSE(at_->nameless);
  ASSERT_EQ(resolver_->resolve(view, {{}, "/proc/7/fd/3", 1}, "x", Final::parent, 0, *at_), 0);
  EXPECT_EQ(at_->name_mount, 1U) << "as the caller said of the start";
}

// A deleted file's text looks like a path, but nothing is there.
TEST_F(Resolve, KernelLinksToWhatIsGone) {
  host_.gone_link("/r/proc/gone", "/usr (deleted)").dir("/r/usr (deleted)");
  EXPECT_EQ(host_of("/proc/gone/x"), "/r/proc/gone/x");
  EXPECT_TRUE(at_->nameless);
  EXPECT_EQ(host_of("/proc/gone"), "/r/proc/gone");
  EXPECT_TRUE(at_->kernel_link);
}

TEST_F(Resolve, WhereTheLastNameIsLookedUp) {
  EXPECT_EQ(host_of("/data", Final::parent), "/host/data");
  EXPECT_EQ(at_->mount, 1U);
  EXPECT_EQ(at_->name_mount, 0U) << "a mount point is a name of the directory around it";
  EXPECT_EQ(host_of("/data/..", Final::parent), "/r");
  EXPECT_EQ(at_->name_mount, 1U);
}

// What stands before a slash at the end is not looked at: neither a link nor what its text ends with.
TEST_F(Resolve, NamesToCreateWithASlash) {
  EXPECT_EQ(host_of("dirlink/", Final::follow, "", k_creates), "/r/dirlink/");
  EXPECT_TRUE(at_->trailing_slash);
  EXPECT_EQ(host_of("dirlink", Final::follow, "", k_creates), "/r/etc/ssl/");
  EXPECT_EQ(host_of("data/", Final::follow, "", k_creates | k_one_mount), "/host/data/");
}

// Linux compares an absolute link's mount with the root's, which a walk that has not needed the root does not have.
TEST_F(Resolve, OneMountAndAbsoluteLinks) {
  EXPECT_EQ(host_of("abs", Final::follow, "", k_one_mount), error(EXDEV));
  EXPECT_EQ(host_of("/abs", Final::follow, "", k_one_mount), "/r/etc/passwd");
  EXPECT_EQ(host_of("etc/../abs", Final::follow, "", k_one_mount), "/r/etc/passwd");
}

TEST_F(Resolve, ConfinedWalks) {
  EXPECT_EQ(host_of("/etc/passwd", Final::follow, "/home", k_beneath), error(EXDEV));
  EXPECT_EQ(host_of("../etc", Final::follow, "/home", k_beneath), error(EXDEV));
  EXPECT_EQ(host_of("u/../u", Final::follow, "/home", k_beneath), "/r/home/u");
  host_.link("/r/home/out", "../etc").link("/r/home/abs", "/etc").link("/r/home/in", "u");
  EXPECT_EQ(host_of("out", Final::follow, "/home", k_beneath), error(EXDEV));
  EXPECT_EQ(host_of("abs", Final::follow, "/home", k_beneath), error(EXDEV));
  EXPECT_EQ(host_of("in", Final::follow, "/home", k_beneath), "/r/home/u");
  EXPECT_EQ(host_of("out", Final::follow, "/home", k_in_start), "/r/home/etc");
  EXPECT_EQ(host_of("/../u", Final::follow, "/home", k_in_start), "/r/home/u");
  EXPECT_EQ(host_of("in", Final::follow, "/home", k_no_links), error(ELOOP));
  EXPECT_EQ(host_of("proc/cwd", Final::follow, "", k_no_kernel_links), error(ELOOP));
  EXPECT_EQ(host_of("proc/fd3", Final::follow, "", k_no_kernel_links), error(ELOOP));
  EXPECT_EQ(host_of("data/sub", Final::follow, "", k_one_mount), error(EXDEV));
  EXPECT_EQ(host_of("..", Final::follow, "/data", k_one_mount), error(EXDEV));
  EXPECT_EQ(host_of("etc", Final::follow, "", k_one_mount), "/r/etc");
}

// Whatever the path, what the kernel gets lies in the root or in a mount.
TEST_F(Resolve, NeverOutside) {
  std::mt19937 random(4711);  // NOLINT(cert-msc51-cpp): the same paths every time
  const std::vector<std::string> words = {"..",   ".",    "",   "etc",   "passwd",  "bin",   "out",
                                          "abs",  "data", "up", "mnt",   "deep",    "vol",   "a",
                                          "loop", "home", "u",  "slash", "dirlink", "todata"};
  const View view{{mounts_.data(), mounts_.size()}, {}};
  for (int i = 0; i < 20000; ++i) {
    std::string path = random() % 2 == 0 ? "/" : "";
    for (auto n = random() % 8; n-- > 0;) path += words[random() % words.size()] + (random() % 8 == 0 ? "//" : "/");
    const auto final = static_cast<Final>(random() % 3);
    if (resolver_->resolve(view, {"/home/u", {}}, path, final, 0, *at_) != 0) continue;
    std::string host(at_->host.view());
    EXPECT_EQ(host.find("/../"), std::string::npos) << path;
    bool inside = false;
    for (const Mount& m : mounts_) inside = inside || is_below(host, m.host);
    EXPECT_TRUE(inside) << path << " -> " << host;
  }
  for (const std::string& asked : host_.asked()) {
    bool inside = false;
    for (const Mount& m : mounts_) inside = inside || is_below(asked, m.host);
    EXPECT_TRUE(inside) << asked;
  }
}

// The walk works at compile time: nothing in it needs a library or memory.
struct NoLinks {
  static constexpr int read_link(std::string_view, std::string_view, Link&) { return -EINVAL; }
  static constexpr int check_dir(std::string_view) { return 0; }
  static constexpr bool name_of_dir(std::string_view, GuestPath&) { return false; }
  static constexpr bool known_plain(std::string_view) { return false; }
  static constexpr void note_plain(std::string_view) {}
};
constexpr bool resolves(std::string_view path, std::string_view expected) {
  const Mount mounts[] = {{"", "/r", MountKind::root, false}, {"/data", "/d", MountKind::bind, false}};
  NoLinks host;
  Resolver<NoLinks> resolver(host);
  Resolution at;
  const View view{{mounts, 2}, {}};
  return resolver.resolve(view, {"/home", {}}, path, Final::follow, 0, at) == 0 && at.host.view() == expected;
}
static_assert(resolves("/data/../etc/x", "/r/etc/x"));
static_assert(resolves("../data/x", "/d/x"));

}  // namespace
}  // namespace udk::xlate
