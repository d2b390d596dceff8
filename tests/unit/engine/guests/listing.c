// Listings of directories in which mount points are missing. Binds that the test gives: /etc/bound over a file that is
// there; /etc/new-dir, /etc/new-file, /etc/added0 to /etc/added39 and /virtual/deep/mount, which the tree lacks.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { LIMIT = 200, ADDED = 42 };  // names of /etc that are added

static int is_added(const char* name) { return strncmp(name, "added", 5) == 0 || strncmp(name, "new-", 4) == 0; }

struct names {
  int count, added, bound, dots;
  char seen[LIMIT][64];
};

static void note(struct names* all, const char* name) {
  for (int i = 0; i < all->count; ++i)
    if (strcmp(all->seen[i], name) == 0) CHECK(!"a name appears once");
  snprintf(all->seen[all->count++], sizeof all->seen[0], "%s", name);
  all->added += is_added(name);
  all->bound += strcmp(name, "bound") == 0;
  all->dots += strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int whole(const struct names* all) { return all->added == ADDED && all->bound == 1 && all->dots == 2; }

// One call of the kernel; the number of entries, 0 at the end, -1 with errno.
static int batch(int fd, int wide, size_t size, struct names* all) {
  char buffer[65536];
  long got = syscall(wide ? SYS_getdents64 : SYS_getdents, fd, buffer, size);
  int entries = 0;
  if (got < 0) return -1;
  for (long at = 0; at < got; ++entries) {
    char* entry = buffer + at;
    uint64_t inode = 0;
    uint16_t length;
    size_t word = wide ? 8 : sizeof(long);
    memcpy(&inode, entry, word);
    memcpy(&length, entry + 2 * word, 2);
    CHECK(length >= 3 * word && length % word == 0 && at + length <= got);
    const char* name = entry + 2 * word + (wide ? 3 : 2);
    int type = wide ? entry[2 * word + 2] : entry[length - 1];
    struct stat st;
    CHECK(fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK(type == DT_UNKNOWN || type == IFTODT(st.st_mode));
    CHECK(inode != 0 && (!is_added(name) || inode == st.st_ino));
    note(all, name);
    at += length;
  }
  return entries;
}

static void rest(int fd, int wide, size_t size, struct names* all) {
  int got;
  while ((got = batch(fd, wide, size, all)) > 0) continue;
  CHECK(got == 0);
}

static void buffers(void) {
  static const size_t sizes[] = {48, 64, 280, 2048, 65536};
  for (int wide = 0; wide < 2; ++wide)
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
      int fd = open("/etc", O_RDONLY | O_DIRECTORY);
      for (int pass = 0; pass < 2; ++pass) {
        struct names all = {0};
        CHECK(lseek(fd, 0, SEEK_SET) == 0);
        rest(fd, wide, sizes[i], &all);
        CHECK(whole(&all));
        CHECK(batch(fd, wide, sizes[i], &all) == 0 && batch(fd, wide, sizes[i], &all) == 0);
      }
      struct names partly = {0};  // given up anywhere, and begun anew
      for (int calls = 0; calls < 30; calls += 4) {
        struct names all = {0};
        memset(&partly, 0, sizeof partly);
        CHECK(lseek(fd, 0, SEEK_SET) == 0);
        for (int n = 0; n < calls; ++n) batch(fd, wide, sizes[i], &partly);
        CHECK(lseek(fd, 0, SEEK_SET) == 0);
        rest(fd, wide, sizes[i], &all);
        CHECK(whole(&all));
      }
      struct names none = {0};
      CHECK(lseek(fd, 0, SEEK_SET) == 0);
      while (none.added < 1 && sizes[i] < 100) batch(fd, wide, sizes[i], &none);
      FAILS(batch(fd, wide, 8, &none), EINVAL);
      close(fd);
    }
}

static void shared(void) {
  int fd = open("/etc", O_RDONLY), copy = dup(fd), other = open("/etc", O_RDONLY);
  struct names all = {0}, others = {0};
  while (all.added < 5) {
    CHECK(batch(fd, 1, 64, &all) > 0);
    CHECK(batch(copy, 1, 64, &all) > 0);
  }
  batch(other, 1, 300, &others);
  pid_t pid = fork();
  if (pid == 0) {  // goes on where the parent was
    failures = 0;
    while (all.added < 20) CHECK(batch(fd, 1, 64, &all) > 0);
    fflush(stdout);
    _exit(failures == 0 ? all.added : 100);
  }
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 20);
  close(fd);
  struct names more = {0};
  rest(copy, 1, 64, &more);
  CHECK(more.added == ADDED - 20 && batch(copy, 1, 64, &more) == 0);
  rest(other, 1, 300, &others);
  CHECK(whole(&others));
  close(copy);
  close(other);
}

static void streams(void) {
  DIR* dir = opendir("/etc");
  long places[LIMIT];
  char names[LIMIT][64];
  int count = 0;
  struct dirent* entry;
  for (;;) {
    long place = telldir(dir);
    if ((entry = readdir(dir)) == NULL) break;
    CHECK(entry->d_off != 0);
    places[count] = place;
    snprintf(names[count++], sizeof names[0], "%s", entry->d_name);
  }
  CHECK(count > ADDED);
  for (int i = count - 1; i >= 0; --i) {
    seekdir(dir, places[i]);
    // Right behind the directory's own entries the kernel's position is the same before and after the added ones.
    if (i > 0 && is_added(names[i]) && !is_added(names[i - 1])) continue;
    entry = readdir(dir);
    CHECK(entry != NULL && strcmp(entry->d_name, names[i]) == 0);
  }
  rewinddir(dir);
  struct names all = {0};
  while ((entry = readdir(dir)) != NULL) note(&all, entry->d_name);
  CHECK(whole(&all));
  closedir(dir);
}

static void nested(void) {
  struct dirent** list;
  int count = scandir("/", &list, NULL, alphasort), found = 0;
  for (int i = 0; i < count; ++i) found += strcmp(list[i]->d_name, "virtual") == 0 && list[i]->d_type == DT_DIR;
  CHECK(found == 1);
  CHECK(scandir("/virtual", &list, NULL, alphasort) == 3 && strcmp(list[2]->d_name, "deep") == 0);
  CHECK(scandir("/virtual/deep", &list, NULL, alphasort) == 3 && strcmp(list[2]->d_name, "mount") == 0);
}

static void changed(void) {
  int fd = open("/etc", O_RDONLY | O_DIRECTORY);
  FAILS(mkdir("/etc/new-dir", 0700), EEXIST);
  FAILS(rmdir("/etc/new-dir"), EBUSY);
  FAILS(unlink("/etc/new-file"), EBUSY);
  FAILS(rmdir("/virtual/deep"), ENOTEMPTY);
  FAILS(rmdir("/virtual"), EBUSY);
  FAILS(rmdir("/etc"), ENOTEMPTY);
  FAILS(rename("/etc", "/else"), EBUSY);
  struct stat st;
  CHECK(fstatat(fd, "new-file", &st, 0) == 0 && S_ISREG(st.st_mode));
  CHECK(fchdir(fd) == 0 && access("new-dir", F_OK) == 0 && chdir("/") == 0);
  CHECK(openat(fd, "made-now", O_CREAT | O_WRONLY, 0600) >= 0);
  struct names all = {0};
  rest(fd, 1, 4096, &all);
  CHECK(whole(&all) && unlinkat(fd, "made-now", 0) == 0);
  close(fd);
}

int main(void) {
  buffers();
  shared();
  streams();
  nested();
  changed();
  DONE;
}
