// Which of several errors a call gives, and other answers about names and open files that random calls have shown. The
// runner's binds are those of files.c.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "check.h"

#ifndef RENAME_NOREPLACE  // musl
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif

static int rename2(const char* from, const char* to, unsigned flags) {
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}
static int open2(const char* path, unsigned long long flags, unsigned long long resolve) {
  struct open_how how = {.flags = flags, .resolve = resolve};
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}
static void put(const char* path, mode_t mode) {
  const int fd = open(path, O_CREAT | O_WRONLY, mode);
  CHECK(fd >= 0);
  close(fd);
}
static int mode_of(const char* path) {
  struct stat st;
  return stat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

static void names(void) {
  FAILS(rename("f/x", "/data/y"), ENOTDIR);          // not EXDEV
  FAILS(rename("/data", "f/x"), ENOTDIR);            // not EBUSY
  FAILS(rename("none", "/data/.."), EXDEV);          // what is before ".." counts
  FAILS(rename2("f", "none", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
  FAILS(rename2("/etc/bound", "/etc/none", RENAME_EXCHANGE), ENOENT);
  FAILS(link("none", "/data"), ENOENT);              // the old name first
  FAILS(link("f", "/data/none/x"), ENOENT);
  FAILS(link("/data", "f"), EEXIST);                 // not EXDEV
  FAILS(unlink("/data"), EISDIR);                    // not EBUSY
  FAILS(rmdir("/etc/bound"), ENOTDIR);
  FAILS(mknod("/readonly/file", S_IFLNK | 0600, 0), EINVAL);
  FAILS(mknod("/readonly/none/", S_IFREG | 0600, 0), ENOENT);
  FAILS(truncate("/readonly/dir", 0), EISDIR);
  FAILS(truncate("none", -1), EINVAL);
}

static void opens(void) {
  CHECK(symlink("none", "dangling") == 0);
  FAILS(open("dangling/", O_CREAT | O_RDWR, 0600), EISDIR);
  FAILS(open("f/x", O_TMPFILE | O_RDONLY, 0600), EINVAL);
  FAILS(open2("none/none", O_PATH | O_RDWR, 0), EINVAL);
  FAILS(open2("/", O_RDONLY, RESOLVE_BENEATH | RESOLVE_IN_ROOT), EINVAL);
  FAILS(open("/readonly/file", O_DIRECTORY | O_WRONLY), ENOTDIR);
  CHECK(unlink("dangling") == 0);
  FAILS(inotify_add_watch(-1, "none/none", 0), EINVAL);
}

static void descriptors(void) {
  CHECK(symlink("/etc", "l") == 0);
  const int link = open("l", O_PATH | O_NOFOLLOW);
  const int file = open("f", O_RDONLY);
  struct stat st;
  char path[64];
  FAILS(fstatat(link, "passwd", &st, 0), ENOTDIR);   // no directory, whatever it leads to
  FAILS(openat(file, "..", O_RDONLY), ENOTDIR);
  sprintf(path, "/proc/self/fd/%d/passwd", link);
  FAILS(stat(path, &st), ENOTDIR);
  FAILS(syscall(SYS_fchmod, link, 0600), EBADF);  // the library may have another way
  FAILS(syscall(SYS_fchmod, open("f", O_PATH), 0600), EBADF);
  FAILS(bind(file, (struct sockaddr*)&(struct sockaddr_un){AF_UNIX, "f"}, sizeof(struct sockaddr_un)), ENOTSOCK);
  close(link);
  close(file);
  CHECK(unlink("l") == 0);
}

// Directories that have no name any more, and those above them.
static void removed(void) {
  struct stat st;
  CHECK(mkdir("gone", 0700) == 0);
  const int gone = open("gone", O_RDONLY | O_DIRECTORY);
  CHECK(rmdir("gone") == 0);
  CHECK(fstatat(gone, "../../../../../etc/passwd", &st, 0) == 0);
  FAILS(fstatat(gone, "../../../../../../../tmp/none", &st, 0), ENOENT);
  FAILS(linkat(AT_FDCWD, "/data", gone, "x", 0), ENOENT);
  close(gone);
}

// What is believed of files: until the last descriptor is closed, not for longer, and of those without a name.
static void modes(void) {
  struct stat st;
  char path[64];
  put("m", 0);
  CHECK(mode_of("m") == 0);
  const int fd = open("m", O_RDONLY);
  CHECK(fd >= 0 && unlink("m") == 0);
  CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0);
  close(fd);
  put("m", 0644);
  CHECK(mode_of("m") == 0644 && unlink("m") == 0);
  FAILS(open("m", O_CREAT | O_DIRECTORY | O_TMPFILE, 0), EINVAL);
  CHECK(mkdir("m", 0440) == 0 && mode_of("m") == 0440 && chdir("m") == 0 && chdir("..") == 0 && rmdir("m") == 0);
  CHECK(mkdir("m", 06755) == 0 && mode_of("m") == 0755 && rmdir("m") == 0);
  CHECK(mknod("m", S_IFIFO, 0) == 0 && mode_of("m") == 0 && unlink("m") == 0);
  const int unnamed = open(".", O_TMPFILE | O_RDWR, 0400);
  CHECK(unnamed >= 0 && fstat(unnamed, &st) == 0 && (st.st_mode & 07777) == 0400);
  sprintf(path, "/proc/self/fd/%d", unnamed);
  CHECK(linkat(AT_FDCWD, path, AT_FDCWD, "m", AT_SYMLINK_FOLLOW) == 0 && mode_of("m") == 0400 && unlink("m") == 0);
  close(unnamed);
}

// The guest's mounts are as real as others.
static void mounts(void) {
  struct statfs st;
  CHECK(statfs("/readonly", &st) == 0 && (st.f_flags & 1) != 0 && statfs("/", &st) == 0);
  const int fd = open("/readonly/file", O_RDONLY);
  CHECK(fstatfs(fd, &st) == 0 && (st.f_flags & 1) != 0);
  FAILS(fstatfs(99, &st), EBADF);
  CHECK(open("/readonly/file", O_ACCMODE) >= 0);  // neither reading nor writing
  close(fd);
  struct {
    unsigned mask, block_size;
    unsigned long long attributes;
    char more[256];
  } sx;
  CHECK(syscall(SYS_statx, AT_FDCWD, "/data", 0, 0x7ff, &sx) == 0 && (sx.attributes & 0x2000) != 0);
  CHECK(syscall(SYS_statx, AT_FDCWD, "/tmp", 0, 0x7ff, &sx) == 0 && (sx.attributes & 0x2000) == 0);
}

int main(void) {
  umask(022);
  CHECK(mkdir("/tmp/order", 0755) == 0 && chdir("/tmp/order") == 0);
  put("f", 0644);
  names();
  opens();
  descriptors();
  removed();
  modes();
  mounts();
  CHECK(unlink("f") == 0 && chdir("/") == 0 && rmdir("/tmp/order") == 0);
  DONE;
}
