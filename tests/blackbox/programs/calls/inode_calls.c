// Calls that change what a file is: mode, size, times, extended attributes.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static unsigned nofollow_and_empty(void) {
  static const unsigned flags[] = {AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH};
  return choose_flags(flags, 2, 30) | (percent(2) ? 0x20 : 0);
}

static struct path path_or_empty(unsigned flags) {
  const struct path path = choose_path();
  return (flags & AT_EMPTY_PATH) != 0 && percent(40) ? (struct path){"", "\"\""} : path;
}

static void change_mode(void) {
  const int dir = choose_dir();
  const unsigned flags = nofollow_and_empty();
  const struct path path = path_or_empty(flags);
  const mode_t mode = choose_mode(1) & 01777;
  switch (below(4)) {
    case 0:
      say("chmod(%s, %#o)", path.shown, mode);
      return result_ok(syscall(SYS_chmod, path.text, mode));
    case 1:
      say("fchmodat(%s, %s, %#o)", dir_text(dir), path.shown, mode);
      return result_ok(syscall(SYS_fchmodat, dir, path.text, mode));
    case 2: {
      const int fd = choose_slot();
      struct stat st;
      // Whoever is the user outside needs the permissions of a socket to find that it cannot be opened.
      if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode)) return say("fchmod of a socket left out\n");
      say("fchmod(%s, %#o)", dir_text(fd), mode);
      return result_ok(syscall(SYS_fchmod, fd, mode));
    }
    default:
      say("fchmodat2(%s, %s, %#o, %#x)", dir_text(dir), path.shown, mode, flags);
      return result_ok(syscall(SYS_fchmodat2, dir, path.text, mode, flags));
  }
}

static void change_size(void) {
  const off_t size = (off_t)below(6000) - 5;
  if (percent(50)) {
    const struct path path = choose_path();
    say("truncate(%s, %ld)", path.shown, (long)size);
    return result_ok(syscall(SYS_truncate, path.text, size));
  }
  const int fd = choose_slot();
  say("ftruncate(%s, %ld)", dir_text(fd), (long)size);
  result_ok(syscall(SYS_ftruncate, fd, size));
}

static void change_times(void) {
  const int dir = choose_dir();
  const unsigned flags = nofollow_and_empty();
  const struct path path = path_or_empty(flags);
  const struct timespec times[2] = {{below(1000000), percent(10) ? UTIME_OMIT : 5}, {below(1000000), 7}};
  const struct timespec* given = percent(80) ? times : NULL;
  const struct timeval values[2] = {{below(1000000), percent(5) ? 1000000 : 3}, {below(1000000), 9}};
  switch (below(5)) {
    case 0:
      say("futimesat(%s, %s)", dir_text(dir), path.shown);
      return result_ok(syscall(SYS_futimesat, dir, path.text, values));
    case 1:
      say("utimes(%s)", path.shown);
      return result_ok(syscall(SYS_utimes, path.text, values));
    case 2: {
      const int fd = choose_dir();
      say("utimensat(%s, NULL)", dir_text(fd));
      return result_ok(syscall(SYS_utimensat, fd, NULL, given, percent(20) ? AT_SYMLINK_NOFOLLOW : 0));
    }
    default:
      say("utimensat(%s, %s, %d, %#x)", dir_text(dir), path.shown, given != NULL, flags);
      return result_ok(syscall(SYS_utimensat, dir, path.text, given, flags));
  }
}

void inode_call(void) {
  switch (below(3)) {
    case 0:
      return change_mode();
    case 1:
      return change_size();
    default:
      return change_times();
  }
}

static const char* choose_attribute(void) {
  static const char* const names[] = {"user.a", "user.b", "user.c", "none.x", "trusted.t", "user."};
  return names[percent(90) ? below(3) : below(6)];
}

static void set_attribute(const char* name) {
  const struct path path = choose_name();
  const int fd = choose_slot();
  const int flags = percent(70) ? 0 : (int)below(4);
  const char* value = "a value of some length" + below(8);
  const size_t size = strlen(value);
  switch (below(3)) {
    case 0:
      say("setxattr(%s, %s, %zu, %d)", path.shown, name, size, flags);
      return result_ok(setxattr(path.text, name, value, size, flags));
    case 1:
      say("lsetxattr(%s, %s, %zu, %d)", path.shown, name, size, flags);
      return result_ok(lsetxattr(path.text, name, value, size, flags));
    default:
      say("fsetxattr(%s, %s, %zu, %d)", dir_text(fd), name, size, flags);
      return result_ok(fsetxattr(fd, name, value, size, flags));
  }
}

static void get_attribute(const char* name) {
  const struct path path = choose_name();
  const int fd = choose_slot();
  const size_t size = percent(80) ? 256 : below(8);
  char value[256] = "";
  switch (below(3)) {
    case 0:
      say("getxattr(%s, %s, %zu)", path.shown, name, size);
      return result_text(getxattr(path.text, name, value, size), value);
    case 1:
      say("lgetxattr(%s, %s, %zu)", path.shown, name, size);
      return result_text(lgetxattr(path.text, name, value, size), value);
    default:
      say("fgetxattr(%s, %s, %zu)", dir_text(fd), name, size);
      return result_text(fgetxattr(fd, name, value, size), value);
  }
}

static void list_attributes(void) {
  const struct path path = choose_name();
  const int fd = choose_slot();
  char names[1024] = "";
  const size_t size = percent(80) ? sizeof names : below(8);
  switch (below(3)) {
    case 0:
      say("listxattr(%s, %zu)", path.shown, size);
      return result_text(listxattr(path.text, names, size), names);
    case 1:
      say("llistxattr(%s, %zu)", path.shown, size);
      return result_text(llistxattr(path.text, names, size), names);
    default:
      say("flistxattr(%s, %zu)", dir_text(fd), size);
      return result_text(flistxattr(fd, names, size), names);
  }
}

static void remove_attribute(const char* name) {
  const struct path path = choose_name();
  const int fd = choose_slot();
  switch (below(3)) {
    case 0:
      say("removexattr(%s, %s)", path.shown, name);
      return result_ok(removexattr(path.text, name));
    case 1:
      say("lremovexattr(%s, %s)", path.shown, name);
      return result_ok(lremovexattr(path.text, name));
    default:
      say("fremovexattr(%s, %s)", dir_text(fd), name);
      return result_ok(fremovexattr(fd, name));
  }
}

void xattr_call(void) {
  const char* name = choose_attribute();
  switch (below(5)) {
    case 0:
    case 1:
      return set_attribute(name);
    case 2:
      return get_attribute(name);
    case 3:
      return list_attributes();
    default:
      return remove_attribute(name);
  }
}
