// Emulated credentials: the rules of credentials(7), per process.
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static int uids_are(uid_t r, uid_t e, uid_t s) {
  uid_t a = 9, b = 9, c = 9;
  return getresuid(&a, &b, &c) == 0 && a == r && b == e && c == s && getuid() == r && geteuid() == e;
}
static int gids_are(gid_t r, gid_t e, gid_t s) {
  gid_t a = 9, b = 9, c = 9;
  return getresgid(&a, &b, &c) == 0 && a == r && b == e && c == s && getgid() == r && getegid() == e;
}
static int child_holds(int (*check)(void)) {
  pid_t pid = fork();
  if (pid == 0) {
    failures = 0;
    int bad = check();
    fflush(stdout);
    _exit(bad);
  }
  int status = -1;
  return waitpid(pid, &status, 0) == pid && status == 0;
}

static unsigned long long effective_capabilities(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}};
  CHECK(syscall(SYS_capget, &header, data) == 0);
  return data[0].effective | (unsigned long long)data[1].effective << 32;
}

static int drop_for_good(void) {
  gid_t groups[] = {7, 8};
  CHECK(setgroups(2, groups) == 0);
  CHECK(setresgid(100, 100, 100) == 0 && gids_are(100, 100, 100));
  CHECK(setresuid(1000, 1000, 1000) == 0 && uids_are(1000, 1000, 1000));
  CHECK(effective_capabilities() == 0);
  FAILS(setuid(0), EPERM);
  FAILS(setgid(0), EPERM);
  FAILS(setgroups(0, NULL), EPERM);
  FAILS(chown("/tmp/owned", 5, 5), EPERM);
  FAILS(chroot("/tmp"), EPERM);
  gid_t seen[4];
  CHECK(getgroups(4, seen) == 2 && seen[0] == 7 && seen[1] == 8);
  FAILS(getgroups(1, seen), EINVAL);
  CHECK(setuid(1000) == 0);
  return failures;
}

static int drop_for_a_while(void) {
  CHECK(seteuid(33) == 0 && uids_are(0, 33, 0));
  CHECK(effective_capabilities() == 0);
  FAILS(setuid(44), EPERM);
  CHECK(seteuid(0) == 0 && uids_are(0, 0, 0));
  CHECK(effective_capabilities() != 0);
  CHECK(setreuid(5, 6) == 0 && uids_are(5, 6, 6));
  CHECK(setreuid(6, 5) == 0 && uids_are(6, 5, 5));
  FAILS(setresuid(0, 0, 0), EPERM);
  return failures;
}

static int keep_capabilities(void) {
  CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_GET_KEEPCAPS) == 1);
  CHECK(setresuid(10, 10, 10) == 0);
  CHECK(effective_capabilities() == 0);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}};
  CHECK(syscall(SYS_capget, &header, data) == 0 && data[0].permitted != 0);
  data[0].effective = 1U << CAP_SETUID;
  data[1].effective = 0;
  CHECK(syscall(SYS_capset, &header, data) == 0);
  CHECK(setuid(20) == 0 && uids_are(20, 20, 20));
  return failures;
}

static int fs_ids(void) {
  CHECK(setfsuid(12) == 0 && setfsuid(13) == 12 && setfsuid((uid_t)-1) == 13);
  CHECK(setfsgid(12) == 0 && setfsgid((gid_t)-1) == 12);
  return failures;
}

static int survives_exec(void) {
  CHECK(setresgid(50, 50, 50) == 0 && setresuid(40, 41, 40) == 0);
  execl("/bin/identity", "identity", "after-exec", (char*)NULL);
  return 1;
}

// Makes the directory, opens it and removes it, and gives its mode.
static mode_t mode_after_removal(mode_t made, ino_t* number) {
  struct stat st = {0};
  CHECK(mkdir("/tmp/gone", made) == 0);
  int fd = open("/tmp/gone", O_RDONLY | O_DIRECTORY);
  CHECK(fd >= 0 && rmdir("/tmp/gone") == 0 && fstat(fd, &st) == 0);
  close(fd);
  *number = st.st_ino;
  return st.st_mode & 07777;
}

// The host cannot give these modes; and it soon gives the number of a directory that is gone to the next one.
static int modes_of_what_is_gone(void) {
  umask(0);
  ino_t before = 0, after = 1;
  for (int i = 0; i < 100 && before != after; ++i) {
    CHECK(mode_after_removal(0660, &before) == 0660);
    CHECK(mode_after_removal(0760, &after) == 0760);
  }
  return failures;
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "after-exec") == 0) {
    CHECK(uids_are(40, 41, 41) && gids_are(50, 50, 50));
    CHECK(getauxval(AT_UID) == 40 && getauxval(AT_EUID) == 41 && getauxval(AT_GID) == 50);
    return failures;
  }
  CHECK(uids_are(0, 0, 0) && gids_are(0, 0, 0));
  CHECK(getauxval(AT_UID) == 0 && getauxval(AT_SECURE) == 0);
  int fd = open("/tmp/owned", O_CREAT | O_WRONLY, 0600);
  struct stat st;
  CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == 0 && st.st_gid == 0);
  CHECK(lstat("/tmp/owned", &st) == 0 && st.st_uid == 0);
  CHECK(chown("/tmp/owned", 5, 6) == 0 && fchown(fd, 1, 1) == 0 && lchown("/tmp/owned", 0, 0) == 0);
  CHECK(fchownat(AT_FDCWD, "/tmp/owned", 3, 3, AT_SYMLINK_NOFOLLOW) == 0);
  FAILS(chown("/tmp/missing", 0, 0), ENOENT);
  FAILS(fchown(999, 0, 0), EBADF);
  CHECK(fchmod(fd, 04755) == 0 && chmod("/tmp/owned", 0400) == 0);
  CHECK(access("/tmp/owned", R_OK | W_OK) == 0);
  FAILS(access("/tmp/owned", X_OK), EACCES);
  CHECK(child_holds(drop_for_good));
  CHECK(child_holds(drop_for_a_while));
  CHECK(child_holds(keep_capabilities));
  CHECK(child_holds(fs_ids));
  CHECK(child_holds(survives_exec));
  CHECK(child_holds(modes_of_what_is_gone));
  CHECK(uids_are(0, 0, 0));
  CHECK(prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0);
  CHECK(stat("/tmp/owned", &st) == 0);
  CHECK(prctl(PR_CAPBSET_READ, CAP_CHOWN) == 1 && prctl(PR_CAPBSET_DROP, CAP_CHOWN) == 0);
  CHECK(prctl(PR_CAPBSET_READ, CAP_CHOWN) == 0);
  FAILS(prctl(PR_CAPBSET_READ, 63), EINVAL);
  unlink("/tmp/owned");
  DONE;
}
