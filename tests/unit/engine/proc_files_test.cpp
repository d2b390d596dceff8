#include "engine/ptrace/proc_files.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine/ptrace/guest_view.hpp"
#include "unit/temp_dir.hpp"

namespace udk::engine {
namespace {

TEST(ProcFile, PathsOfProcesses) {
  const auto status = ProcFile::parse("/proc/12/status");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->process, 12);
  EXPECT_EQ(status->thread, 12);
  EXPECT_EQ(status->name, "status");
  const auto maps = ProcFile::parse("/proc/12/task/13/maps");
  ASSERT_TRUE(maps);
  EXPECT_EQ(maps->thread, 13);
  EXPECT_EQ(maps->name, "maps");
  for (const char* other : {"/proc", "/proc/self/status", "/proc/cpuinfo", "/process/1/status", "/proc/-1/status"})
    EXPECT_FALSE(ProcFile::parse(other)) << other;
}

// A run over a scratch directory with one bind.
struct View {
  View() {
    spec.root = dir.path();
    spec.binds = {{"/usr", "/host/usr", container::Access::read_only}};
    auto made = GuestView::create(spec);
    EXPECT_TRUE(made);
    view = std::make_unique<GuestView>(std::move(*made));
    lookup = std::make_unique<Lookup>(*view, tasks);
    run = std::make_unique<Run>(spec, *view, tasks, *lookup);
    task.fs = std::make_shared<FileSystemState>();
    task.memory = std::make_shared<AddressSpace>();
    task.credentials = std::make_shared<Credentials>(initial_credentials({0, 0, {4, 5}}));
  }
  test::TempDir dir;
  container::RunSpec spec;
  TaskTable tasks;
  std::unique_ptr<GuestView> view;
  std::unique_ptr<Lookup> lookup;
  std::unique_ptr<Run> run;
  Task task;
};

TEST(ProcMaps, NamesAreTheGuests) {
  const View v;
  const std::string text = "00400000-00401000 r-xp 00000000 fe:00 11                                 " + v.spec.root +
                           "/bin/a b (deleted)\n"
                           "70000000-70001000 r-xp 00000000 00:01 5    /memfd:udocker-loader (deleted)\n"
                           "7f0000000000-7f0000001000 r--p 00000000 fe:00 12    /usr/lib/x.so\n"
                           "7f0000001000-7f0000002000 rw-p 00000000 00:00 0 \n"
                           "7ffc00000000-7ffc00001000 rw-p 00000000 00:00 0                          [stack]\n";
  EXPECT_EQ(proc_maps(*v.run, v.task, text),
            "00400000-00401000 r-xp 00000000 fe:00 11                                 /bin/a b (deleted)\n"
            "7f0000000000-7f0000001000 r--p 00000000 fe:00 12    /host/usr/lib/x.so\n"
            "7f0000001000-7f0000002000 rw-p 00000000 00:00 0 \n"
            "7ffc00000000-7ffc00001000 rw-p 00000000 00:00 0                          [stack]\n");
}

TEST(ProcMaps, DetailsOfHiddenMappingsAreHiddenToo) {
  const View v;
  EXPECT_EQ(proc_maps(*v.run, v.task,
                      "70000000-70001000 r-xp 00000000 00:01 5 /memfd:udocker-loader (deleted)\nSize:  4 kB\n"
                      "80000000-80001000 r-xp 00000000 00:00 0 \nSize:  8 kB\n"),
            "80000000-80001000 r-xp 00000000 00:00 0 \nSize:  8 kB\n");
}

TEST(ProcStatus, IdsAndCapabilitiesAsBelieved) {
  View v;
  v.run->emulate_ids = v.run->filtered = true;
  EXPECT_EQ(proc_status(*v.run, v.task,
                        "Name:\tsh\nTracerPid:\t" + std::to_string(::getpid()) +
                            "\nUid:\t9\t9\t9\t9\nGroups:\t9 \nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
                            "Seccomp_filters:\t1\n"),
            "Name:\tsh\nTracerPid:\t0\nUid:\t0\t0\t0\t0\nGroups:\t4 5 \nCapEff:\t000001ffffffffff\nNoNewPrivs:\t0\n"
            "Seccomp:\t0\nSeccomp_filters:\t0\n");
}

TEST(ProcStatus, AFilterOfTheGuestIsSeen) {
  View v;
  v.run->filtered = true;
  EXPECT_EQ(proc_status(*v.run, v.task, "Uid:\t9\t9\t9\t9\nSeccomp:\t2\nSeccomp_filters:\t3\n"),
            "Uid:\t9\t9\t9\t9\nSeccomp:\t2\nSeccomp_filters:\t2\n");
}

TEST(ProcMounts, RootAndBinds) {
  const View v;
  const std::string host =
      "20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,discard\n"
      "21 20 0:5 /sub /usr rw,nosuid shared:2 master:3 - nfs server:/x\\040y rw,vers=4\n"
      "22 21 0:6 / /usr/in\\040ner rw - tmpfs tmpfs rw,size=1k\n";
  EXPECT_EQ(proc_mounts(*v.run, host, MountsForm::mounts),
            "/dev/sda1 / ext4 rw,relatime,discard 0 0\n"
            "server:/x\\040y /host/usr nfs ro,nosuid,vers=4 0 0\n"
            "tmpfs /host/usr/in\\040ner tmpfs ro,size=1k 0 0\n");
  const std::string info = proc_mounts(*v.run, host, MountsForm::mountinfo);
  EXPECT_NE(info.find("2 1 0:5 /sub /host/usr ro,nosuid - nfs server:/x\\040y rw,vers=4\n"), std::string::npos) << info;
  EXPECT_EQ(info.find("1 0 8:1 " + v.spec.root + " / rw,relatime - ext4 /dev/sda1 rw,discard\n"), 0U) << info;
}

}  // namespace
}  // namespace udk::engine
