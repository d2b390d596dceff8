// Calls with paths in all their forms, made in an empty directory (the first argument).
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "report.h"

// The numbers that younger calls have on all architectures.
enum {
  k_openat2 = 437,
  k_faccessat2 = 439,
  k_fchmodat2 = 452,
  k_setxattrat = 463,
  k_getxattrat,
  k_listxattrat,
  k_removexattrat,
  k_file_getattr = 468,
  k_file_setattr
};

static char top[4096];
static int deep;  // the kernel tells no names of the host that are that long

static void write_file(const char* path) {
  int fd = open(path, O_CREAT | O_WRONLY, 0644);
  if (fd < 0 || write(fd, "text\n", 5) != 5) exit(99);
  close(fd);
}

static void make_tree(void) {
  char target[8192];
  if (mkdir("a", 0755) != 0 || mkdir("a/b", 0755) != 0) exit(99);
  write_file("a/b/f");
  snprintf(target, sizeof target, "%s/a/b/f", top);
  if (symlink("a/b/f", "relative") != 0 || symlink(target, "absolute") != 0 || symlink("loop", "loop") != 0 ||
      symlink("../..", "a/up") != 0 || symlink("nothing", "dangling") != 0 || symlink("b", "a/dir") != 0 ||
      symlink("/etc/passwd", "a/outside") != 0)
    exit(99);
}

// Which file a descriptor is: its name below the top, or its last component if it is somewhere else.
static void report_file(const char* what, long fd) {
  char link[64], name[8192];
  if (fd < 0) {
    printf("%s: %s\n", what, strerrorname_np(errno));
    return;
  }
  if (deep) {
    printf("%s: ok\n", what);
    close((int)fd);
    return;
  }
  snprintf(link, sizeof link, "/proc/self/fd/%ld", fd);
  ssize_t n = readlink(link, name, sizeof name - 1);
  name[n < 0 ? 0 : n] = '\0';
  size_t length = strlen(top);
  const int inside = strncmp(name, top, length) == 0;
  const char* outside = strrchr(name, '/');
  printf("%s: %s%s\n", what, inside ? "." : "..", inside ? name + length : outside == NULL ? "" : outside);
  close((int)fd);
}

static void openat2_all(void) {
  static const char* const paths[] = {
      "a/b/f",  "a/../a/b/f",  "relative",         "absolute",       "a/up/x", "../x",   "dangling",
      "loop",   "/etc/passwd", "a/outside",        "a/dir/f",        "a/dir",  ".",      "",
      "a/b/f/", "a/b/new",     "/proc/self/cwd/a", "/proc/self/exe", "/..",    "/a/b/f", "a/b/../../.."};
  static const struct {
    unsigned bit;
    const char* name;
  } resolve[] = {{0, "none"},
                 {RESOLVE_NO_XDEV, "no_xdev"},
                 {RESOLVE_NO_MAGICLINKS, "no_magiclinks"},
                 {RESOLVE_NO_SYMLINKS, "no_symlinks"},
                 {RESOLVE_BENEATH, "beneath"},
                 {RESOLVE_IN_ROOT, "in_root"},
                 {RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, "beneath|no_symlinks"},
                 {RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, "in_root|no_magiclinks"},
                 {RESOLVE_IN_ROOT | RESOLVE_BENEATH, "in_root|beneath"},
                 {0x80, "unknown"}};
  static const struct {
    unsigned long long bits;
    const char* name;
  } flags[] = {{O_RDONLY, "read"},
               {O_PATH | O_NOFOLLOW, "path|nofollow"},
               {O_RDONLY | O_NOFOLLOW, "nofollow"},
               {O_PATH, "path"},
               {O_RDWR | O_CREAT | O_EXCL, "create|excl"},
               {O_RDONLY | O_DIRECTORY, "directory"},
               {O_PATH | O_RDWR | O_CREAT, "bad"}};
  int directory = open("a", O_PATH | O_DIRECTORY);
  for (unsigned r = 0; r < sizeof resolve / sizeof *resolve; ++r)
    for (unsigned f = 0; f < sizeof flags / sizeof *flags; ++f)
      for (unsigned p = 0; p < sizeof paths / sizeof *paths; ++p)
        for (int from = 0; from < 2; ++from) {
          // What is another mount depends on the machine.
          const char first = paths[p][0];
          if (resolve[r].bit == RESOLVE_NO_XDEV && (first == '/' || strcmp(paths[p], "absolute") == 0)) continue;
          struct open_how how = {flags[f].bits, (flags[f].bits & O_CREAT) != 0 ? 0600 : 0, resolve[r].bit};
          char what[200];
          snprintf(what, sizeof what, "openat2 %s %s %s '%s'", from ? "a" : ".", resolve[r].name, flags[f].name,
                   paths[p]);
          errno = 0;
          report_file(what, syscall(k_openat2, from ? directory : AT_FDCWD, paths[p], &how, sizeof how));
          unlink("a/b/new");
          unlink("a/up/x");
        }
  struct open_how how = {O_RDONLY, 0, RESOLVE_CACHED};
  REPORT(syscall(k_openat2, AT_FDCWD, "a/b/f", &how, sizeof how - 1));
  REPORT(syscall(k_openat2, AT_FDCWD, "a/b/f", &how, 5000));
  REPORT(syscall(k_openat2, AT_FDCWD, "a/b/f", NULL, sizeof how));
  REPORT(syscall(k_openat2, AT_FDCWD, NULL, &how, sizeof how));
  REPORT(syscall(k_openat2, 999, "f", &how, sizeof how));
  char larger[64] = {0};
  memcpy(larger, &how, sizeof how);
  long fd = syscall(k_openat2, AT_FDCWD, "a/b/f", larger, sizeof larger);
  printf("cached: %s\n", fd >= 0 || errno == EAGAIN ? "ok" : strerrorname_np(errno));
  larger[40] = 1;
  REPORT(syscall(k_openat2, AT_FDCWD, "a/b/f", larger, sizeof larger));
  close(directory);
}

static void modes_and_access(void) {
  int directory = open("a", O_PATH | O_DIRECTORY), file = open("a/b/f", O_PATH);
  chmod("a/b/f", 0640);
  REPORT(syscall(k_faccessat2, AT_FDCWD, "a/b/f", R_OK | W_OK, 0));
  REPORT(syscall(k_faccessat2, directory, "b/f", R_OK, AT_EACCESS));
  REPORT(syscall(k_faccessat2, AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
  REPORT(syscall(k_faccessat2, AT_FDCWD, "dangling", F_OK, 0));
  REPORT(syscall(k_faccessat2, file, "", R_OK, AT_EMPTY_PATH));
  REPORT(syscall(k_faccessat2, file, "", R_OK, 0));
  REPORT(syscall(k_faccessat2, AT_FDCWD, "a", R_OK, 0x4000));
  REPORT(syscall(k_faccessat2, AT_FDCWD, "a", 8, 0));
  REPORT(syscall(k_faccessat2, file, "x", R_OK, 0));
  REPORT(syscall(k_faccessat2, 999, "x", R_OK, 0));
  REPORT(syscall(k_fchmodat2, AT_FDCWD, "relative", 0600, 0));
  REPORT(syscall(k_fchmodat2, AT_FDCWD, "relative", 0600, AT_SYMLINK_NOFOLLOW));
  REPORT(syscall(k_fchmodat2, file, "", 0604, AT_EMPTY_PATH));
  REPORT(syscall(k_fchmodat2, directory, "b/f", 0604, 0x4000));
  REPORT(syscall(k_fchmodat2, directory, "b/nothing", 0604, 0));
  struct stat st;
  stat("a/b/f", &st);
  printf("mode %o\n", st.st_mode);
  close(directory);
  close(file);
}

static void statx_of(const char* what, int dir, const char* path, int flags, unsigned mask) {
  struct statx st;
  memset(&st, 0, sizeof st);
  errno = 0;
  long result = syscall(SYS_statx, dir, path, flags, mask, &st);
  if (result != 0)
    printf("statx %s: %s\n", what, strerrorname_np(errno));
  else
    printf("statx %s: mode %o links %u size %d mask %d\n", what, st.stx_mode, st.stx_nlink,
           S_ISREG(st.stx_mode) ? (int)st.stx_size : -1, (st.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
}

static void stats(void) {
  int directory = open("a", O_PATH | O_DIRECTORY), file = open("a/b/f", O_RDONLY),
      link = open("relative", O_PATH | O_NOFOLLOW);
  statx_of("file", AT_FDCWD, "a/b/f", 0, STATX_BASIC_STATS);
  statx_of("link", AT_FDCWD, "relative", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS);
  statx_of("followed", directory, "outside/", 0, STATX_BASIC_STATS);
  statx_of("descriptor", file, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME);
  statx_of("descriptor of a link", link, "", AT_EMPTY_PATH, STATX_BASIC_STATS);
  statx_of("no path", file, NULL, AT_EMPTY_PATH, STATX_BASIC_STATS);
  statx_of("no path, no flag", file, NULL, 0, STATX_BASIC_STATS);
  statx_of("nothing", file, "", 0, STATX_BASIC_STATS);
  statx_of("current", AT_FDCWD, "", AT_EMPTY_PATH, STATX_BASIC_STATS);
  statx_of("both syncs", AT_FDCWD, "a", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_BASIC_STATS);
  statx_of("no automount", AT_FDCWD, "a/b/f", AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_BASIC_STATS);
  statx_of("unknown flag", AT_FDCWD, "a", 0x10000000, STATX_BASIC_STATS);
  statx_of("reserved mask", AT_FDCWD, "a", 0, 0x80000000U);
  statx_of("bad descriptor", 999, "a", 0, STATX_BASIC_STATS);
  statx_of("descriptor is a file", file, "a", 0, STATX_BASIC_STATS);
  struct stat st;
  REPORT(fstatat(file, "", &st, AT_EMPTY_PATH));
  REPORT(fstatat(file, "", &st, 0));
  REPORT(fstatat(AT_FDCWD, "a", &st, 0x4000));
  close(directory);
  close(file);
  close(link);
}

static void renames(void) {
  write_file("one");
  write_file("two");
  REPORT(renameat2(AT_FDCWD, "one", AT_FDCWD, "two", RENAME_NOREPLACE));
  REPORT(renameat2(AT_FDCWD, "one", AT_FDCWD, "a/b", RENAME_EXCHANGE));
  REPORT(access("a/b", R_OK) == 0 && access("one/f", R_OK) == 0);
  REPORT(renameat2(AT_FDCWD, "one", AT_FDCWD, "a/b", RENAME_EXCHANGE));
  REPORT(renameat2(AT_FDCWD, "one", AT_FDCWD, "new", RENAME_EXCHANGE));
  REPORT(renameat2(AT_FDCWD, "one", AT_FDCWD, "new", RENAME_EXCHANGE | RENAME_NOREPLACE));
  REPORT(renameat2(AT_FDCWD, "one", AT_FDCWD, "new", 64));
  REPORT(renameat2(AT_FDCWD, "one", AT_FDCWD, "new", RENAME_NOREPLACE));
  REPORT(renameat2(AT_FDCWD, "new", AT_FDCWD, "two", 0));
  REPORT(renameat2(AT_FDCWD, "relative", AT_FDCWD, "moved", 0));
  REPORT(renameat2(AT_FDCWD, "moved", AT_FDCWD, "relative", 0));
  REPORT(renameat2(AT_FDCWD, "a", AT_FDCWD, "a/b/c", 0));
  REPORT(renameat2(AT_FDCWD, ".", AT_FDCWD, "x", 0));
  REPORT(renameat2(AT_FDCWD, "two", AT_FDCWD, "a/", 0));
  REPORT(unlink("two"));
}

static void attributes(void) {
  struct {
    unsigned long long value;
    unsigned size, flags;
  } args = {(unsigned long long)(size_t) "given", 5, 0};
  char buffer[256] = "";
  int file = open("a/b/f", O_RDONLY), path = open("a/b/f", O_PATH);
  REPORT(setxattr("relative", "user.one", "1", 1, 0));
  REPORT(setxattr("a/b/f", "user.one", "2", 1, XATTR_CREATE));
  REPORT(setxattr("a/b/f", "user.two", "22", 2, XATTR_REPLACE));
  REPORT(lsetxattr("relative", "user.one", "1", 1, 0));
  REPORT(fsetxattr(file, "user.three", "333", 3, 0));
  REPORT(getxattr("relative", "user.three", buffer, sizeof buffer));
  REPORT(getxattr("a/b/f", "user.three", buffer, 1));
  REPORT(getxattr("a/b/f", "user.three", NULL, 0));
  REPORT(lgetxattr("relative", "user.three", buffer, sizeof buffer));
  REPORT(fgetxattr(file, "user.none", buffer, sizeof buffer));
  REPORT(fgetxattr(path, "user.one", buffer, sizeof buffer));
  REPORT(listxattr("a/b/f", NULL, 0));
  REPORT(llistxattr("relative", NULL, 0));
  REPORT(flistxattr(file, buffer, 2));
  REPORT(syscall(k_setxattrat, AT_FDCWD, "relative", 0, "user.four", &args, 16));
  REPORT(syscall(k_setxattrat, AT_FDCWD, "relative", AT_SYMLINK_NOFOLLOW, "user.four", &args, 16));
  REPORT(syscall(k_setxattrat, path, "", AT_EMPTY_PATH, "user.five", &args, 16));
  REPORT(syscall(k_setxattrat, AT_FDCWD, "a/b/f", 0, "user.four", &args, 8));
  REPORT(syscall(k_setxattrat, AT_FDCWD, "a/b/f", 4, "user.four", &args, 16));
  args.value = (unsigned long long)(size_t)buffer;
  args.size = sizeof buffer;
  REPORT(syscall(k_getxattrat, AT_FDCWD, "a/b/f", 0, "user.four", &args, 16));
  printf("%.5s\n", buffer);
  REPORT(syscall(k_getxattrat, path, "", AT_EMPTY_PATH, "user.one", &args, 16));
  REPORT(syscall(k_listxattrat, AT_FDCWD, "a/b/f", 0, buffer, (size_t)0));
  REPORT(syscall(k_listxattrat, AT_FDCWD, "relative", AT_SYMLINK_NOFOLLOW, buffer, (size_t)0));
  REPORT(syscall(k_listxattrat, AT_FDCWD, "dangling", 0, buffer, (size_t)0));
  REPORT(syscall(k_removexattrat, AT_FDCWD, "relative", 0, "user.four"));
  REPORT(syscall(k_removexattrat, path, "", AT_EMPTY_PATH, "user.five"));
  REPORT(syscall(k_removexattrat, AT_FDCWD, "a/b/f", 0, "user.none"));
  REPORT(removexattr("relative", "user.one"));
  REPORT(lremovexattr("relative", "user.one"));
  REPORT(fremovexattr(file, "user.three"));
  REPORT(listxattr("a/b/f", NULL, 0));
  unsigned long long attr[3] = {0};
  REPORT(syscall(k_file_getattr, AT_FDCWD, "a/b/f", attr, sizeof attr, 0));
  REPORT(syscall(k_file_getattr, file, "", attr, sizeof attr, AT_EMPTY_PATH));
  REPORT(syscall(k_file_setattr, AT_FDCWD, "relative", attr, sizeof attr, 0));
  REPORT(syscall(k_file_getattr, AT_FDCWD, "dangling", attr, sizeof attr, 0));
  REPORT(syscall(k_file_getattr, AT_FDCWD, "dangling", attr, sizeof attr, AT_SYMLINK_NOFOLLOW));
  REPORT(syscall(k_file_getattr, AT_FDCWD, "a", attr, 4, 0));
  close(file);
  close(path);
}

static struct file_handle* handle_of(const char* path, int flags) {
  struct file_handle* handle = calloc(1, sizeof *handle + MAX_HANDLE_SZ);
  int mount = 0;
  handle->handle_bytes = MAX_HANDLE_SZ;
  errno = 0;
  int result = name_to_handle_at(AT_FDCWD, path, handle, &mount, flags);
  printf("name_to_handle_at %s: %s\n", path, result == 0 ? "ok" : strerrorname_np(errno));
  return handle;
}

static int same_handle(const struct file_handle* a, const struct file_handle* b) {
  return a->handle_bytes == b->handle_bytes && memcmp(a->f_handle, b->f_handle, a->handle_bytes) == 0;
}

static void handles(void) {
  struct file_handle *file = handle_of("a/b/f", 0), *link = handle_of("relative", 0),
                     *followed = handle_of("relative", AT_SYMLINK_FOLLOW), *here = handle_of("", AT_EMPTY_PATH);
  (void)handle_of("nothing", 0);
  (void)handle_of("a", 0x10000);
  printf("same: %d %d %d\n", same_handle(file, link), same_handle(file, followed), same_handle(file, here));
  struct file_handle small = {0};
  int mount;
  REPORT(name_to_handle_at(AT_FDCWD, "a", &small, &mount, 0));
  REPORT(open_by_handle_at(AT_FDCWD, file, O_RDONLY));
}

static void report_events(int fd) {
  char buffer[4096] __attribute__((aligned(8)));
  ssize_t n = read(fd, buffer, sizeof buffer);
  for (ssize_t at = 0; at < n;) {
    const struct inotify_event* event = (const struct inotify_event*)(buffer + at);
    printf("event %x %s\n", event->mask, event->len != 0 ? event->name : "");
    at += (ssize_t)sizeof *event + event->len;
  }
}

static void watches(void) {
  int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  SUCCEEDS(inotify_add_watch(fd, "a/dir", IN_CREATE | IN_DELETE | IN_OPEN | IN_MOVE));
  SUCCEEDS(inotify_add_watch(fd, "relative", IN_OPEN));
  SUCCEEDS(inotify_add_watch(fd, "dangling", IN_ATTRIB | IN_DONT_FOLLOW));
  REPORT(inotify_add_watch(fd, "dangling", IN_ATTRIB));
  REPORT(inotify_add_watch(fd, "a/b/f", IN_OPEN | IN_ONLYDIR));
  REPORT(inotify_add_watch(fd, "a/b", IN_OPEN | IN_MASK_CREATE));
  REPORT(inotify_add_watch(fd, "a/b", 0));
  write_file("a/b/new");
  rename("a/b/new", "a/b/newer");
  unlink("a/b/newer");
  close(open("a/b/f", O_RDONLY));
  report_events(fd);
  close(fd);
}

static void report_fanotify(int fd) {
  char buffer[4096] __attribute__((aligned(8)));
  ssize_t n = read(fd, buffer, sizeof buffer);
  for (struct fanotify_event_metadata* event = (void*)buffer; FAN_EVENT_OK(event, n); event = FAN_EVENT_NEXT(event, n))
    printf("fanotify %llx\n", (unsigned long long)event->mask);
}

static void fanotify(void) {
  int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_NONBLOCK, O_RDONLY);
  if (SUCCEEDS(fd) < 0) return;
  int directory = open("a", O_PATH | O_DIRECTORY);
  REPORT(fanotify_mark(fd, FAN_MARK_ADD, FAN_CREATE | FAN_DELETE | FAN_ONDIR, directory, "dir"));
  REPORT(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN, directory, "b/f"));
  REPORT(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_DONT_FOLLOW, FAN_OPEN, AT_FDCWD, "dangling"));
  REPORT(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "dangling"));
  REPORT(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, directory, NULL));
  REPORT(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, AT_FDCWD, "a"));
  write_file("a/b/new");
  report_fanotify(fd);
  unlink("a/b/new");
  report_fanotify(fd);
  close(directory);
  close(fd);
}

int main(int count, char** words) {
  deep = enter(count, words);
  if (mkdir("top", 0755) != 0 || chdir("top") != 0 || getcwd(top, sizeof top) == NULL) return 99;
  umask(022);
  make_tree();
  openat2_all();
  modes_and_access();
  stats();
  renames();
  attributes();
  handles();
  watches();
  fanotify();
  return 0;
}
