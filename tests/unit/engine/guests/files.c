// Paths as a guest sees them. The runner binds a directory at /data (read-write), another at /readonly (read-only), a
// file at /etc/bound and a directory at /virtual/deep/mount, whose parents the image lacks.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "check.h"

#ifndef RENAME_NOREPLACE  // musl
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif

static int is_dir(const char* path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
static int cwd_is(const char* path) {
  char cwd[PATH_MAX];
  return getcwd(cwd, sizeof cwd) != NULL && strcmp(cwd, path) == 0;
}
static int link_is(const char* path, const char* target) {
  char text[PATH_MAX];
  ssize_t n = readlink(path, text, sizeof text - 1);
  if (n < 0) return 0;
  text[n] = '\0';
  if (strcmp(text, target) != 0) printf("%s -> %s\n", path, text);
  return strcmp(text, target) == 0;
}
static int put(const char* path) {
  int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
  if (fd < 0) return 0;
  close(fd);
  return 1;
}
static int lists(const char* path, const char* name) {
  DIR* dir = opendir(path);
  int found = 0;
  if (dir == NULL) return 0;
  for (struct dirent* e; (e = readdir(dir)) != NULL;) found |= strcmp(e->d_name, name) == 0;
  closedir(dir);
  return found;
}

static void mounts(void) {
  CHECK(is_dir("/virtual") && is_dir("/virtual/deep") && is_dir("/virtual/deep/mount"));
  CHECK(lists("/virtual", "deep") && lists("/virtual/deep", "mount"));
  CHECK(put("/virtual/deep/mount/x") && unlink("/virtual/deep/mount/x") == 0);
  CHECK(chdir("/virtual/deep/mount") == 0 && cwd_is("/virtual/deep/mount"));
  CHECK(chdir("..") == 0 && cwd_is("/virtual/deep") && chdir("../..") == 0 && cwd_is("/"));
  FAILS(rmdir("/data"), EBUSY);
  FAILS(rmdir("/virtual"), EBUSY);
  FAILS(rmdir("/virtual/deep"), ENOTEMPTY);
  FAILS(unlink("/etc/bound"), EBUSY);
  FAILS(rename("/etc/bound", "/etc/other"), EBUSY);
  FAILS(rename("/data", "/elsewhere"), EBUSY);
  CHECK(put("/data/f"));
  FAILS(rename("/data/f", "/tmp/f"), EXDEV);
  FAILS(link("/data/f", "/tmp/f"), EXDEV);
  CHECK(symlink("/data/f", "/tmp/to-data") == 0 && put("/tmp/to-data") && unlink("/tmp/to-data") == 0);
  CHECK(symlink("../../../etc/passwd", "/data/out") == 0 && access("/data/out", R_OK) == 0);
  CHECK(unlink("/data/out") == 0 && unlink("/data/f") == 0);
  FAILS(mkdir("/data", 0700), EEXIST);
  FAILS(symlink("x", "/etc/bound"), EEXIST);
}

static void read_only(void) {
  struct stat st;
  int fd = open("/readonly/file", O_RDONLY);
  CHECK(fd >= 0 && stat("/readonly/file", &st) == 0);
  FAILS(open("/readonly/file", O_WRONLY), EROFS);
  FAILS(open("/readonly/file", O_RDONLY | O_TRUNC), EROFS);
  FAILS(open("/readonly/new", O_CREAT | O_WRONLY, 0600), EROFS);
  FAILS(open("/readonly/none", O_WRONLY), ENOENT);
  CHECK((fd = open("/readonly/file", O_CREAT | O_RDONLY, 0600)) >= 0);
  FAILS(open("/readonly/file", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
  FAILS(mkdir("/readonly/d", 0700), EROFS);
  FAILS(mkdir("/readonly/dir", 0700), EEXIST);
  FAILS(rmdir("/readonly/dir"), EROFS);
  FAILS(unlink("/readonly/file"), EROFS);
  FAILS(rename("/readonly/file", "/readonly/g"), EROFS);
  FAILS(symlink("x", "/readonly/l"), EROFS);
  FAILS(link("/readonly/file", "/readonly/l"), EROFS);
  FAILS(chmod("/readonly/file", 0600), EROFS);
  FAILS(chmod("/readonly/none", 0600), ENOENT);
  FAILS(chown("/readonly/file", 0, 0), EROFS);
  FAILS(truncate("/readonly/file", 0), EROFS);
  FAILS(utimensat(AT_FDCWD, "/readonly/file", NULL, 0), EROFS);
  FAILS(futimens(fd, NULL), EROFS);
  FAILS(fchmod(fd, 0600), EROFS);
  FAILS(fchown(fd, 0, 0), EROFS);
  FAILS(setxattr("/readonly/file", "user.x", "y", 1, 0), EROFS);
  FAILS(fsetxattr(fd, "user.x", "y", 1, 0), EROFS);
  FAILS(access("/readonly/file", W_OK), EROFS);
  CHECK(access("/readonly/file", R_OK) == 0);
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  FAILS(open(self, O_WRONLY), EROFS);
  close(fd);
  CHECK(chdir("/readonly/dir") == 0);
  FAILS(open("new", O_CREAT | O_WRONLY, 0600), EROFS);
  FAILS(open("../file", O_RDWR), EROFS);
  CHECK(chdir("/") == 0);
}

static void names(void) {
  FAILS(rmdir("/tmp/."), EINVAL);
  FAILS(rmdir("/tmp/.."), ENOTEMPTY);
  FAILS(rmdir("/"), EBUSY);
  FAILS(unlink("/tmp"), EISDIR);
  FAILS(mkdir("/tmp/..", 0700), EEXIST);
  FAILS(rename("/tmp/.", "/tmp/x"), EBUSY);
  CHECK(put("/tmp/f"));
  FAILS(open("/tmp/f/", O_RDONLY), ENOTDIR);
  FAILS(open("/tmp/f/..", O_RDONLY), ENOTDIR);
  FAILS(open("/tmp/new/", O_CREAT | O_WRONLY, 0600), EISDIR);
  FAILS(open("", O_RDONLY), ENOENT);
  FAILS(open((char*)1, O_RDONLY), EFAULT);
  char name[PATH_MAX + 8];
  memset(name, 'n', sizeof name);
  name[0] = '/';
  name[256] = '\0';
  CHECK(put(name) && unlink(name) == 0);
  name[256] = 'n';
  name[257] = '\0';
  FAILS(open(name, O_RDONLY), ENAMETOOLONG);
  name[257] = 'n';
  name[PATH_MAX] = '\0';
  FAILS(open(name, O_RDONLY), ENAMETOOLONG);
  CHECK(symlink("loop", "/tmp/loop") == 0);
  FAILS(open("/tmp/loop", O_RDONLY), ELOOP);
  CHECK(link_is("/tmp/loop", "loop") && unlink("/tmp/loop") == 0);
  CHECK(symlink("f", "/tmp/l") == 0);
  FAILS(open("/tmp/l", O_RDONLY | O_NOFOLLOW), ELOOP);
  FAILS(open("/tmp/l", O_CREAT | O_EXCL, 0600), EEXIST);
  int fd = open("/tmp/l", O_PATH | O_NOFOLLOW);
  struct stat st;
  char text[8];
  CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode));
  CHECK(readlinkat(fd, "", text, sizeof text) == 1 && text[0] == 'f');
  close(fd);
  CHECK(rename("/tmp/l", "/tmp/m") == 0 && lstat("/tmp/m", &st) == 0 && S_ISLNK(st.st_mode));
  CHECK(syscall(SYS_renameat2, AT_FDCWD, "/tmp/m", AT_FDCWD, "/tmp/f", RENAME_EXCHANGE) == 0);
  CHECK(lstat("/tmp/f", &st) == 0 && S_ISLNK(st.st_mode));
  FAILS(syscall(SYS_renameat2, AT_FDCWD, "/tmp/m", AT_FDCWD, "/tmp/f", RENAME_NOREPLACE), EEXIST);
  CHECK(unlink("/tmp/f") == 0 && unlink("/tmp/m") == 0);
  CHECK(symlink("nowhere", "/tmp/dangling") == 0 && put("/tmp/dangling") && access("/tmp/nowhere", F_OK) == 0);
  CHECK(unlink("/tmp/dangling") == 0 && unlink("/tmp/nowhere") == 0);
}

// A tree so deep that no host path of it fits PATH_MAX.
static void deep(void) {
  char name[201];
  memset(name, 'd', 200);
  name[200] = '\0';
  CHECK(chdir("/tmp") == 0);
  int made = 0;
  for (int i = 0; i < 30; ++i) made += mkdir(name, 0700) == 0 && chdir(name) == 0;
  CHECK(made == 30);
  struct stat st;
  CHECK(put("f") && stat("f", &st) == 0 && access("f", W_OK) == 0 && chmod("f", 0644) == 0);
  CHECK(rename("f", "g") == 0 && symlink("g", "s") == 0 && link_is("s", "g") && open("s", O_RDONLY) >= 0);
  CHECK(chdir("..") == 0 && chdir(name) == 0 && stat("../../", &st) == 0);
  CHECK(unlink("g") == 0 && unlink("s") == 0);
  char cwd[PATH_MAX];
  FAILS(syscall(SYS_getcwd, cwd, sizeof cwd), ENAMETOOLONG);
  for (int i = 0; i < 30; ++i) made -= chdir("..") == 0 && rmdir(name) == 0;
  CHECK(made == 0 && cwd_is("/tmp") && chdir("/") == 0);
  // A guest path of full length, whose host path is longer.
  char path[PATH_MAX] = "/tmp";
  while (strlen(path) + 202 < PATH_MAX - 8) {
    strcat(strcat(path, "/"), name);
    CHECK(mkdir(path, 0700) == 0);
  }
  char file[PATH_MAX];
  snprintf(file, sizeof file, "%.*s/f", PATH_MAX - 8, path);
  CHECK(put(file) && stat(file, &st) == 0 && chdir(path) == 0 && cwd_is(path) && chdir("/") == 0);
  char other[PATH_MAX];
  snprintf(other, sizeof other, "%.*s/g", PATH_MAX - 8, path);
  CHECK(rename(file, other) == 0 && link(other, file) == 0 && unlink(other) == 0 && unlink(file) == 0);
  CHECK(symlink("/etc/passwd", file) == 0 && access(file, R_OK) == 0 && unlink(file) == 0);
  while (strlen(path) > 4) {
    CHECK(rmdir(path) == 0);
    *strrchr(path, '/') = '\0';
  }
}

static void descriptors(void) {
  CHECK(mkdir("/tmp/d", 0700) == 0);
  int dir = open("/tmp/d", O_RDONLY | O_DIRECTORY);
  int fd = openat(dir, "x", O_CREAT | O_RDWR, 0600);
  struct stat st;
  CHECK(dir >= 0 && fd >= 0 && fstatat(dir, "x", &st, 0) == 0 && S_ISREG(st.st_mode));
  CHECK(fstatat(dir, "../d/x", &st, 0) == 0 && fstatat(dir, "/etc/passwd", &st, 0) == 0);
  CHECK(fstatat(fd, "", &st, AT_EMPTY_PATH) == 0 && S_ISREG(st.st_mode));
  FAILS(fstatat(fd, "y", &st, 0), ENOTDIR);
  FAILS(fstatat(999, "y", &st, 0), EBADF);
  FAILS(fstat(999, &st), EBADF);
  CHECK(fstatat(999, "/etc/passwd", &st, 0) == 0);
  CHECK(renameat(dir, "x", dir, "y") == 0 && linkat(dir, "y", dir, "z", 0) == 0);
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  CHECK(linkat(AT_FDCWD, self, dir, "w", AT_SYMLINK_FOLLOW) == 0);
  CHECK(link_is(self, "/tmp/d/y"));
  CHECK(unlinkat(dir, "w", 0) == 0 && unlinkat(dir, "y", 0) == 0 && unlinkat(dir, "z", 0) == 0);
  int again = open(self, O_RDONLY);  // the file has no name any more
  CHECK(again >= 0 && fstat(again, &st) == 0 && st.st_nlink == 0);
  close(again);
  CHECK(stat(self, &st) == 0);
  int temporary = open("/tmp/d", O_TMPFILE | O_RDWR, 0600);
  if (temporary >= 0) {
    snprintf(self, sizeof self, "/proc/self/fd/%d", temporary);
    CHECK(linkat(AT_FDCWD, self, AT_FDCWD, "/tmp/d/named", AT_SYMLINK_FOLLOW) == 0 && unlink("/tmp/d/named") == 0);
    close(temporary);
  }
  CHECK(fchdir(dir) == 0 && cwd_is("/tmp/d"));
  CHECK(rename("/tmp/d", "/tmp/e") == 0 && cwd_is("/tmp/e") && put("here") && unlink("/tmp/e/here") == 0);
  CHECK(rmdir("/tmp/e") == 0);
  char cwd[64];
  CHECK(getcwd(cwd, sizeof cwd) == NULL && errno == ENOENT);
  FAILS(open("file", O_CREAT | O_WRONLY, 0600), ENOENT);
  CHECK(stat(".", &st) == 0 && chdir("..") == 0 && cwd_is("/tmp") && chdir("/") == 0);
  int pipes[2];
  CHECK(pipe(pipes) == 0);
  snprintf(self, sizeof self, "/dev/fd/%d", pipes[1]);
  CHECK(symlink("/proc/self/fd", "/tmp/fd") == 0);
  snprintf(self, sizeof self, "/tmp/fd/%d", pipes[1]);
  int out = open(self, O_WRONLY);
  char byte = 0;
  CHECK(out >= 0 && write(out, "p", 1) == 1 && read(pipes[0], &byte, 1) == 1 && byte == 'p');
  CHECK(unlink("/tmp/fd") == 0);
  close(dir);
  close(fd);
}

static long openat2_at(int dir, const char* path, unsigned long long flags, unsigned long long resolve) {
  struct open_how how = {.flags = flags, .resolve = resolve};
  return syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static void confined(void) {
  if (openat2_at(AT_FDCWD, "/", O_RDONLY, 0) < 0 && errno == ENOSYS) return;
  CHECK(mkdir("/tmp/c", 0700) == 0 && mkdir("/tmp/c/etc", 0700) == 0 && put("/tmp/c/etc/passwd"));
  CHECK(symlink("/etc", "/tmp/c/abs") == 0 && symlink("../..", "/tmp/c/up") == 0 && symlink("etc", "/tmp/c/in") == 0);
  int dir = open("/tmp/c", O_PATH | O_DIRECTORY);
  struct stat inner, st;
  CHECK(stat("/tmp/c/etc/passwd", &inner) == 0);
  FAILS(openat2_at(dir, "abs/passwd", O_RDONLY, RESOLVE_BENEATH), EXDEV);
  FAILS(openat2_at(dir, "/etc", O_RDONLY, RESOLVE_BENEATH), EXDEV);
  FAILS(openat2_at(dir, "up", O_RDONLY, RESOLVE_BENEATH), EXDEV);
  FAILS(openat2_at(dir, "..", O_RDONLY, RESOLVE_BENEATH), EXDEV);
  FAILS(openat2_at(dir, "in/passwd", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
  FAILS(openat2_at(dir, "in", O_PATH | O_NOFOLLOW, ~0ULL), EINVAL);
  FAILS(openat2_at(AT_FDCWD, "/data/f", O_RDONLY | O_CREAT, RESOLVE_NO_XDEV), EXDEV);
  FAILS(openat2_at(AT_FDCWD, "/proc/self/exe", O_RDONLY, RESOLVE_NO_MAGICLINKS), ELOOP);
  const char* inside[] = {"abs/passwd", "up/etc/passwd", "/etc/passwd", "../../etc/passwd", "in/passwd"};
  for (int i = 0; i < 5; ++i) {
    int fd = (int)openat2_at(dir, inside[i], O_RDONLY, RESOLVE_IN_ROOT);
    CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == inner.st_ino);
    close(fd);
  }
  int fd = (int)openat2_at(dir, "in/passwd", O_RDONLY, RESOLVE_BENEATH);
  CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == inner.st_ino);
  close(fd);
  CHECK(openat2_at(dir, "up/../etc/passwd", O_RDONLY, 0) >= 0);
  close(dir);
  CHECK(unlink("/tmp/c/abs") == 0 && unlink("/tmp/c/up") == 0 && unlink("/tmp/c/in") == 0);
  CHECK(unlink("/tmp/c/etc/passwd") == 0 && rmdir("/tmp/c/etc") == 0 && rmdir("/tmp/c") == 0);
}

static void inodes(void) {
  CHECK(put("/tmp/i"));
  struct stat st;
  struct timespec times[2] = {{1000, 1}, {2000, 2}};
  CHECK(utimensat(AT_FDCWD, "/tmp/i", times, 0) == 0 && stat("/tmp/i", &st) == 0 && st.st_mtim.tv_sec == 2000);
  struct timeval old[2] = {{3000, 0}, {4000, 5}};
  CHECK(utimes("/tmp/i", old) == 0 && stat("/tmp/i", &st) == 0 && st.st_mtim.tv_nsec == 5000);
  CHECK(truncate("/tmp/i", 77) == 0 && stat("/tmp/i", &st) == 0 && st.st_size == 77);
  CHECK(chmod("/tmp/i", 0640) == 0 && stat("/tmp/i", &st) == 0 && (st.st_mode & 07777) == 0640);
  CHECK(symlink("i", "/tmp/j") == 0);
  CHECK(utimensat(AT_FDCWD, "/tmp/j", times, AT_SYMLINK_NOFOLLOW) == 0 && lstat("/tmp/j", &st) == 0);
  CHECK(st.st_mtim.tv_sec == 2000 && stat("/tmp/j", &st) == 0 && st.st_mtim.tv_sec != 2000);
#ifdef STATX_BASIC_STATS
  struct statx more;
  CHECK(statx(AT_FDCWD, "/tmp/j", 0, STATX_BASIC_STATS, &more) == 0 && S_ISREG(more.stx_mode) && more.stx_size == 77);
  CHECK(statx(AT_FDCWD, "/tmp/j", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &more) == 0 && S_ISLNK(more.stx_mode));
#endif
  struct statfs fs;
  CHECK(statfs("/tmp/j", &fs) == 0 && fs.f_bsize > 0);
  if (setxattr("/tmp/j", "user.name", "value", 5, 0) == 0) {
    char value[8] = {0};
    CHECK(getxattr("/tmp/i", "user.name", value, sizeof value) == 5 && strcmp(value, "value") == 0);
    CHECK(listxattr("/tmp/i", value, sizeof value) < 0 && errno == ERANGE);
    CHECK(removexattr("/tmp/i", "user.name") == 0);
  }
  int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  CHECK(inotify_add_watch(watch, "/tmp", IN_CREATE) >= 0);
  CHECK(put("/tmp/watched"));
  char events[4096];
  CHECK(read(watch, events, sizeof events) > 0 && unlink("/tmp/watched") == 0);
  close(watch);
  umask(077);
  CHECK(mkdir("/tmp/k", 0777) == 0 && stat("/tmp/k", &st) == 0 && (st.st_mode & 0777) == 0700 && rmdir("/tmp/k") == 0);
  umask(022);
  CHECK(mkfifo("/tmp/p", 0666) == 0 && stat("/tmp/p", &st) == 0 && S_ISFIFO(st.st_mode) && unlink("/tmp/p") == 0);
  CHECK(unlink("/tmp/i") == 0 && unlink("/tmp/j") == 0);
}

static void own_process(const char* program) {
  char path[64];
  CHECK(link_is("/proc/self/exe", program) && link_is("/proc/self/cwd", "/") && link_is("/proc/self/root", "/"));
  snprintf(path, sizeof path, "/proc/%d/exe", (int)getpid());
  CHECK(link_is(path, program));
  snprintf(path, sizeof path, "%d", (int)getpid());
  CHECK(link_is("/proc/self", path));
  CHECK(is_dir("/proc/self/root/etc") && is_dir("/proc/self/cwd/etc") && access("/proc/self/exe", X_OK) == 0);
  struct stat by_link, by_name;
  CHECK(stat("/proc/self/exe", &by_link) == 0 && stat(program, &by_name) == 0 && by_link.st_ino == by_name.st_ino);
}

// Every way in which a directory that was just looked through becomes a link, or a link a directory.
static void names_change(void) {
  CHECK(mkdir("/tmp/real", 0700) == 0 && put("/tmp/real/f") && mkdir("/tmp/other", 0700) == 0 && put("/tmp/other/g"));
  CHECK(symlink("/etc", "/tmp/link") == 0);
  for (int i = 0; i < 50; ++i) {
    CHECK(mkdir("/tmp/n", 0700) == 0 && put("/tmp/n/f") && access("/tmp/n/f", F_OK) == 0);
    CHECK(unlink("/tmp/n/f") == 0 && rmdir("/tmp/n") == 0);
    CHECK(symlink("/etc", "/tmp/n") == 0 && access("/tmp/n/passwd", F_OK) == 0);
    CHECK(unlink("/tmp/n") == 0);

    CHECK(access("/tmp/real/f", F_OK) == 0 && rename("/tmp/real", "/tmp/moved") == 0);
    CHECK(symlink("other", "/tmp/real") == 0 && access("/tmp/real/g", F_OK) == 0);
    CHECK(unlink("/tmp/real") == 0 && rename("/tmp/moved", "/tmp/real") == 0 && access("/tmp/real/f", F_OK) == 0);

    CHECK(access("/tmp/real/f", F_OK) == 0 && access("/tmp/link/passwd", F_OK) == 0);
    CHECK(syscall(SYS_renameat2, AT_FDCWD, "/tmp/real", AT_FDCWD, "/tmp/link", 2) == 0);  // RENAME_EXCHANGE
    CHECK(access("/tmp/real/passwd", F_OK) == 0 && access("/tmp/link/f", F_OK) == 0);
    CHECK(syscall(SYS_renameat2, AT_FDCWD, "/tmp/real", AT_FDCWD, "/tmp/link", 2) == 0);

    int dir = open("/tmp", O_RDONLY | O_DIRECTORY);
    CHECK(mkdirat(dir, "n", 0700) == 0 && access("/tmp/n/", F_OK) == 0);
    CHECK(unlinkat(dir, "n", AT_REMOVEDIR) == 0 && linkat(dir, "link", dir, "n", 0) == 0);
    CHECK(access("/tmp/n/passwd", F_OK) == 0 && unlinkat(dir, "n", 0) == 0);
    close(dir);
  }
  unlink("/tmp/link"), unlink("/tmp/real/f"), unlink("/tmp/other/g"), rmdir("/tmp/real"), rmdir("/tmp/other");
}

static void changed_root(void) {
  pid_t pid = fork();
  if (pid == 0) {
    failures = 0;
    CHECK(mkdir("/tmp/new", 0700) == 0 && put("/tmp/new/inner") && chroot("/tmp/new") == 0 && chdir("/") == 0);
    CHECK(access("/inner", F_OK) == 0 && access("/../../inner", F_OK) == 0 && access("/etc/passwd", F_OK) != 0);
    CHECK(cwd_is("/") && unlink("/inner") == 0);
    fflush(stdout);
    _exit(failures);
  }
  int status = -1;
  CHECK(waitpid(pid, &status, 0) == pid && status == 0 && access("/etc/passwd", F_OK) == 0 && rmdir("/tmp/new") == 0);
}

static void refused(void) {
  FAILS(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS);
  FAILS(syscall(600, 0), ENOSYS);
  FAILS(syscall(SYS_mount, "a", "/tmp", "tmpfs", 0, NULL), EPERM);
  FAILS(syscall(SYS_ptrace, 0, 0, 0, 0), EPERM);
  FAILS(syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */), EPERM);
#ifdef __x86_64__
  FAILS(syscall(0x40000000 | SYS_getpid), ENOSYS);  // x32
  FAILS(syscall(0x40000000 | SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY), ENOSYS);
#endif
}

#ifdef __x86_64__
// A call of i386 from 64-bit code. What is above 32 bits in a register does not count.
static int call32(long number, const void* a, const void* b, const void* c) {
  const unsigned long junk = 0x1234567800000000UL;
  int result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"((unsigned long)a | junk), "c"((unsigned long)b | junk),
                     "d"((unsigned long)c | junk)
                   : "memory", "r8", "r9", "r10", "r11");
  return result;
}

static void other_calls(void) {
  pid_t pid = fork();
  if (pid == 0) _exit(call32(20, 0, 0, 0) == getpid() ? 0 : 1);
  int status = -1;
  CHECK(waitpid(pid, &status, 0) == pid);
  if (WIFSIGNALED(status)) return;  // this kernel runs no 32-bit programs
  CHECK(status == 0);
  char* low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  CHECK(low != MAP_FAILED);
  strcpy(low, "/etc/bound");
  char text[64] = {0};
  int fd = call32(5, low, O_RDONLY, 0);
  CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strcmp(text, "bound\n") == 0);  // not the host's file
  close(fd);
  CHECK(call32(195, low, low + 64, 0) == 0 && *(unsigned*)(low + 64 + 16) != 0);
  CHECK(call32(183, low, (void*)4096, 0) == 2 && strcmp(low, "/") == 0);
  strcpy(low, "/none");
  CHECK(call32(5, low, O_RDONLY, 0) == -ENOENT && call32(12, low, 0, 0) == -ENOENT);
  strcpy(low, "/virtual");
  CHECK(call32(12, low, 0, 0) == 0 && cwd_is("/virtual") && chdir("/") == 0);
  CHECK(call32(20, 0, 0, 0) == getpid() && call32(199, 0, 0, 0) == (int)getuid());
  CHECK(call32(425, 0, 0, 0) == -ENOSYS && call32(600, 0, 0, 0) == -ENOSYS && call32(22, low, 0, 0) == -EPERM);
  munmap(low, 4096);
}
#endif

int main(int argc, char** argv) {
  (void)argc;
  mounts();
  read_only();
  names();
  deep();
  descriptors();
  confined();
  inodes();
  names_change();
  own_process(argv[0]);
  changed_root();
  refused();
#ifdef __x86_64__
  other_calls();
#endif
  DONE;
}
