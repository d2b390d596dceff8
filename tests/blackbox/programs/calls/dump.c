// The tree as a guest sees it, by descriptors: its paths may be longer than a call takes.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "calls.h"

static unsigned long content_of(int fd) {
  unsigned long hash = 5381;
  unsigned char bytes[4096];
  for (long n; (n = read(fd, bytes, sizeof bytes)) > 0;)
    for (long i = 0; i < n; ++i) hash = hash * 33 + bytes[i];
  return hash;
}

static void dump_attributes(int fd) {
  char names[1024];
  char value[256];
  const long size = flistxattr(fd, names, sizeof names);
  for (long at = 0; at < size; at += (long)strlen(names + at) + 1) {
    const long n = fgetxattr(fd, names + at, value, sizeof value - 1);
    value[n < 0 ? 0 : n] = '\0';
    say(" %s=%s", names + at, value);
  }
}

static int by_name(const struct dirent** a, const struct dirent** b) { return strcmp((*a)->d_name, (*b)->d_name); }

static int without_modes;

static void dump_entry(int dir, const char* name, unsigned depth);

static void dump_folder(int fd, unsigned depth) {
  struct dirent** entries = NULL;
  const int count = scandirat(fd, ".", &entries, NULL, by_name);
  if (count < 0) say("%*s(unreadable: %s)\n", (int)depth * 2, "", strerrorname_np(errno));
  for (int i = 0; i < count; ++i) {
    if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
      dump_entry(fd, entries[i]->d_name, depth);
    free(entries[i]);
  }
  free(entries);
}

static void dump_entry(int dir, const char* name, unsigned depth) {
  struct stat st;
  say("%*s%.60s", (int)depth * 2, "", name);
  if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
    say(" (%s)\n", strerrorname_np(errno));
    return;
  }
  if (without_modes && !S_ISDIR(st.st_mode)) st.st_mode &= S_IFMT;
  say_stat(&st);
  if (S_ISLNK(st.st_mode)) {
    static char text[PATH_MAX + 1];
    const long n = readlinkat(dir, name, text, PATH_MAX);
    text[n < 0 ? 0 : n] = '\0';
    say(" -> %s\n", text);
    return;
  }
  const int fd = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? openat(dir, name, O_RDONLY | O_NOFOLLOW) : -1;
  if (fd >= 0) dump_attributes(fd);
  if (fd >= 0 && S_ISREG(st.st_mode)) say(" content %lx", content_of(fd));
  say("%s\n", fd < 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) ? " (unreadable)" : "");
  if (fd >= 0 && S_ISDIR(st.st_mode)) dump_folder(fd, depth + 1);
  if (fd >= 0) close(fd);
}

void dump_tree(const char* path, int linked) {
  without_modes = linked;
  dump_entry(AT_FDCWD, path, 0);
}
