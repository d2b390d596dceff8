// What is done with descriptors: reading, writing, listing, copying, watching.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"

struct entry {
  unsigned long long inode;
  long long position;
  unsigned short length;
  unsigned char type;
  char name[];
};

static int by_name(const void* a, const void* b) { return strcmp(*(char* const*)a, *(char* const*)b); }

// Entries come in the order of the file system's; here by name.
static void list(int fd) {
  static char raw[65536];
  char* names[600];
  unsigned count = 0;
  say("list(%s)", dir_text(fd));
  (void)lseek(fd, 0, SEEK_SET);
  const long size = syscall(SYS_getdents64, fd, raw, sizeof raw);
  for (long at = 0; at < size && count < 600; at += ((struct entry*)(raw + at))->length) {
    const struct entry* one = (const struct entry*)(raw + at);
    if (asprintf(&names[count], "%.40s:%u", one->name, one->type) > 0) ++count;
  }
  qsort(names, count, sizeof names[0], by_name);
  for (unsigned i = 0; i < count; ++i) {
    say(" %s", names[i]);
    free(names[i]);
  }
  result_ok(size);
}

static void tell_file(int fd) {
  char text[65];
  say("pread(%s)", dir_text(fd));
  const long n = pread(fd, text, sizeof text - 1, 0);
  if (n >= 0) text[n] = '\0';
  result_text(n, text);
}

static void watch(void) {
  static const unsigned flags[] = {IN_DONT_FOLLOW, IN_ONLYDIR, IN_EXCL_UNLINK, IN_ONESHOT, 0x10000000 /* IN_MASK_CREATE */};
  static int watcher = -1;
  const struct path path = choose_name();
  const unsigned mask = IN_ALL_EVENTS | choose_flags(flags, 5, 20);
  if (watcher < 0) watcher = inotify_init1(IN_NONBLOCK);
  say("inotify_add_watch(%s, %#x)", path.shown, mask);
  result_ok(syscall(SYS_inotify_add_watch, watcher, path.text, mask));
}

void descriptor_call(void) {
  const int fd = choose_slot();
  const unsigned kind = below(100);
  struct stat st;
  if (kind < 20) {
    char text[40];
    const int size = sprintf(text, "written %u;", below(1000));
    say("write(%s)", dir_text(fd));
    result(write(fd, text, (size_t)size));
  } else if (kind < 35) {
    tell_file(fd);
  } else if (kind < 60) {
    list(fd);
  } else if (kind < 70) {
    say("dup(%s)", dir_text(fd));
    result_fd(dup(fd));
  } else if (kind < 85) {
    watch();
  } else {
    say("fstat(%s)", dir_text(fd));
    const long returned = fstat(fd, &st);
    if (returned == 0) say_stat(&st);
    result_ok(returned);
  }
}
