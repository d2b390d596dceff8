// What is printed of a call and its result.
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void say(const char* format, ...) {
  va_list all;
  va_start(all, format);
  vprintf(format, all);
  va_end(all);
}

static int failed(long returned) {
  if (returned != -1) return 0;
  const char* name = strerrorname_np(errno);
  say(" = %s\n", name != NULL ? name : "?");
  return 1;
}

void result(long returned) {
  if (!failed(returned)) say(" = %ld\n", returned);
}

void result_ok(long returned) {
  if (!failed(returned)) say(" = ok\n");
}

void result_text(long returned, const char* text) {
  if (failed(returned)) return;
  if (strlen(text) < 200)
    say(" = %ld \"%s\"\n", returned, text);
  else
    say(" = %ld \"%.40s..%s\"\n", returned, text, text + strlen(text) - 40);
}

// What is the same for the same file on every file system and at all times.
void say_stat(const struct stat* st) {
  // What links say of permissions means nothing, and for those of /proc depends on when they were last looked at.
  say(" [%06o", (unsigned)(S_ISLNK(st->st_mode) ? S_IFLNK : st->st_mode));
  if (S_ISREG(st->st_mode) || S_ISLNK(st->st_mode)) say(" size %lld", (long long)st->st_size);
  say(" links %lu", (unsigned long)st->st_nlink);
  say(" %s%s]", st->st_uid == geteuid() ? "own" : "foreign", st->st_gid == getegid() ? "" : " group foreign");
}

void result_fd(long returned) {
  if (failed(returned)) return;
  const int slot = k_first_slot + (int)below(k_slots);
  const int fd = (int)returned;
  struct stat st;
  dup3(fd, slot, 0);
  close(fd);
  say(" = %s", dir_text(slot));
  if (fstat(slot, &st) == 0)
    say_stat(&st);
  else
    say(" fstat %s", strerrorname_np(errno));
  say("\n");
}

int is_open_link(const char* path) {
  struct stat st;
  const int fd = (int)syscall(SYS_open, path, O_PATH, 0);
  if (fd < 0) return 0;
  const int is = fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
  close(fd);
  return is;
}

int is_fifo_at(int dir, const char* path) {
  struct stat st;
  return fstatat(dir, path, &st, 0) == 0 && S_ISFIFO(st.st_mode);
}
