// Calls that only ask.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "calls.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void told_stat(long returned, const struct stat* st) {
  if (returned == 0) say_stat(st);
  result_ok(returned);
}

static void plain_stat(int follow) {
  const struct path path = choose_path();
  struct stat st;
  say("%s(%s)", follow ? "stat" : "lstat", path.shown);
  told_stat(follow ? DIRECT(SYS_stat, path.text, &st) : DIRECT(SYS_lstat, path.text, &st), &st);
}

static unsigned at_flags(void) {
  static const unsigned flags[] = {AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_NO_AUTOMOUNT};
  const unsigned all = choose_flags(flags, COUNT(flags), 25);
  return all | (percent(2) && (all & AT_EMPTY_PATH) == 0 ? 0x20 : 0);  // some kernels take wrong flags for a descriptor
}

// Seldom the path that means the descriptor itself.
static struct path path_or_empty(void) {
  struct path path = choose_path();
  if (percent(10)) path = (struct path){"", "\"\""};
  return path;
}

static void stat_at(void) {
  const int dir = choose_dir();
  const struct path path = path_or_empty();
  const unsigned flags = at_flags();
  struct stat st;
  say("fstatat(%s, %s, %#x)", dir_text(dir), path.shown, flags);
  told_stat(DIRECT(SYS_newfstatat, dir, path.text, &st, flags), &st);
}

static void stat_x(void) {
  const int dir = choose_dir();
  const struct path path = path_or_empty();
  const unsigned flags = at_flags() | (percent(5) ? AT_STATX_FORCE_SYNC | (percent(20) ? AT_STATX_DONT_SYNC : 0) : 0);
  const unsigned mask = percent(90) ? STATX_BASIC_STATS : STATX_TYPE;
  struct statx st;
  memset(&st, 0, sizeof st);
  say("statx(%s, %s, %#x, %#x)", dir_text(dir), path.shown, flags, mask);
  const long returned = DIRECT(SYS_statx, dir, path.text, flags, mask, &st);
  if (returned == 0) {
    say(" [%06o", S_ISLNK(st.stx_mode) ? S_IFLNK : (unsigned)st.stx_mode);
    if (S_ISREG(st.stx_mode) || S_ISLNK(st.stx_mode)) say(" size %llu", (unsigned long long)st.stx_size);
    say(" links %u%s]", st.stx_nlink, (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0 ? " mount" : "");
  }
  result_ok(returned);
}

static void access_call(void) {
  const int dir = choose_dir();
  const struct path path = path_or_empty();
  const int mode = percent(2) ? 8 : (int)below(8);
  const unsigned flags = at_flags() | (percent(20) ? AT_EACCESS : 0);
  if (is_open_link(path.text)) return say("an open link left out\n");
  switch (below(3)) {
    case 0:
      say("access(%s, %d)", path.shown, mode);
      return result_ok(DIRECT(SYS_access, path.text, mode));
    case 1:
      say("faccessat(%s, %s, %d)", dir_text(dir), path.shown, mode);
      return result_ok(DIRECT(SYS_faccessat, dir, path.text, mode));
    default:
      say("faccessat2(%s, %s, %d, %#x)", dir_text(dir), path.shown, mode, flags);
      return result_ok(syscall(SYS_faccessat2, dir, path.text, mode, flags));
  }
}

// Replaces the number that follows `before` by N.
static void hide_number(char* text, const char* before) {
  char* at = strstr(text, before);
  if (at == NULL) return;
  at += strlen(before);
  char* end = at;
  while (*end >= '0' && *end <= '9') ++end;
  if (end == at) return;
  memmove(at + 1, end, strlen(end) + 1);
  *at = 'N';
}

// Process numbers differ, and those of inodes: in the names of sockets and of files made without a name.
static void told_link(long returned, char* text) {
  if (returned < 0) return result_text(returned, text);
  text[returned] = '\0';
  static const char* const before[] = {"/proc/", "/task/", "socket:[", "/#"};
  for (size_t i = 0; i < COUNT(before); ++i) hide_number(text, before[i]);
  result_text((long)strlen(text), text);
}

static void read_link(void) {
  static char text[2 * PATH_MAX];
  const int dir = choose_dir();
  const struct path path = path_or_empty();
  const int size = percent(85) ? PATH_MAX : (int)below(12) - 1;
  if (percent(50)) {
    say("readlink(%s, %d)", path.shown, size);
    return told_link(DIRECT(SYS_readlink, path.text, text, size), text);
  }
  say("readlinkat(%s, %s, %d)", dir_text(dir), path.shown, size);
  told_link(DIRECT(SYS_readlinkat, dir, path.text, text, size), text);
}

// Links to open files, which are otherwise seldom hit without anything behind.
static void read_fd_link(void) {
  static char text[2 * PATH_MAX];
  char name[64];
  if (percent(5)) {
    say("readlink(\"/proc/self/exe\")");
    return told_link(readlink("/proc/self/exe", text, sizeof text - 1), text);
  }
  const unsigned slot = below(k_slots);
  sprintf(name, "/proc/self/fd/%u", k_first_slot + slot);
  say("readlink(fd of s%u)", slot);
  told_link(readlink(name, text, sizeof text - 1), text);
}

static void told_statfs(long returned, const struct statfs* st) {
  if (returned == 0)
    say(" [%#lx name %lu%s]", (unsigned long)st->f_type, (unsigned long)st->f_namelen,
        (st->f_flags & 1) != 0 ? " read-only" : "");
  result_ok(returned);
}

static void stat_fs(void) {
  struct statfs st;
  if (percent(60)) {
    const struct path path = choose_path();
    say("statfs(%s)", path.shown);
    return told_statfs(syscall(SYS_statfs, path.text, &st), &st);
  }
  const int fd = choose_slot();
  say("fstatfs(%s)", dir_text(fd));
  told_statfs(syscall(SYS_fstatfs, fd, &st), &st);
}

static void handle(void) {
  static const unsigned all[] = {AT_SYMLINK_FOLLOW, AT_EMPTY_PATH};
  const int dir = choose_dir();
  const struct path path = path_or_empty();
  const unsigned flags = choose_flags(all, COUNT(all), 40) | (percent(3) ? 0x20 : 0);
  union {
    struct file_handle head;
    char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  } made;
  int mount = 0;
  made.head.handle_bytes = percent(90) ? MAX_HANDLE_SZ : below(4);
  say("name_to_handle_at(%s, %s, %u, %#x)", dir_text(dir), path.shown, made.head.handle_bytes, flags);
  const long returned = syscall(SYS_name_to_handle_at, dir, path.text, &made.head, &mount, flags);
  if (returned == 0) say(" [%u bytes type %d]", made.head.handle_bytes, made.head.handle_type);
  result_ok(returned);
}

// Whether two paths or descriptors lead to one file. (Numbers of inodes are used again for new files, so they say
// nothing alone.)
static void same_file(void) {
  const int dirs[2] = {choose_dir(), choose_dir()};
  const struct path paths[2] = {path_or_empty(), path_or_empty()};
  struct stat st[2];
  say("same(%s, %s and %s, %s)", dir_text(dirs[0]), paths[0].shown, dir_text(dirs[1]), paths[1].shown);
  for (int i = 0; i < 2; ++i) {
    const long returned = DIRECT(SYS_newfstatat, dirs[i], paths[i].text, &st[i], AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
    if (returned != 0) return result_ok(returned);
  }
  result(st[0].st_ino == st[1].st_ino && st[0].st_dev == st[1].st_dev);
}

void stat_call(void) {
  switch (below(11)) {
    case 0:
      return plain_stat(1);
    case 1:
      return plain_stat(0);
    case 2:
    case 3:
      return stat_at();
    case 4:
      return stat_x();
    case 5:
      return access_call();
    case 6:
      return read_link();
    case 7:
      return read_fd_link();
    case 8:
      return stat_fs();
    case 9:
      return handle();
    default:
      return same_file();
  }
}
