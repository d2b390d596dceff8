// What is special to i386 programs: calls by number, in all generations of their structures. Where a call with a
// descriptor gives what a call with a path gives, the results must be the same byte for byte; padding stays as it was
// or becomes zero, and nothing is written behind the structure.
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define SAME(path_call, descriptor_call, size)                  \
  do {                                                          \
    char by_path[512], by_descriptor[512];                      \
    memset(by_path, 'x', sizeof by_path);                       \
    memset(by_path, 0, size);                                   \
    memcpy(by_descriptor, by_path, sizeof by_path);             \
    char* buffer = by_path;                                     \
    CHECK((path_call) == 0);                                    \
    buffer = by_descriptor;                                     \
    CHECK((descriptor_call) == 0);                              \
    CHECK(memcmp(by_path, by_descriptor, sizeof by_path) == 0); \
  } while (0)

static void stats(void) {
  int fd = open("/tmp/f", O_CREAT | O_RDWR | O_TRUNC, 0640);
  CHECK(fd >= 0 && write(fd, "12345", 5) == 5);
  for (int on = 0; on < 2; ++on) {  // a file, and a device with its number
    const char* path = on == 0 ? "/tmp/f" : "/dev/null";
    if (on == 1) fd = open(path, O_RDONLY);
    SAME(syscall(106, path, buffer), syscall(108, fd, buffer), 64);
    SAME(syscall(107, path, buffer), syscall(108, fd, buffer), 64);
    SAME(syscall(195, path, buffer), syscall(197, fd, buffer), 96);
    SAME(syscall(196, path, buffer), syscall(197, fd, buffer), 96);
    SAME(syscall(300, AT_FDCWD, path, buffer, 0), syscall(197, fd, buffer), 96);
    SAME(syscall(300, fd, "", buffer, AT_EMPTY_PATH), syscall(197, fd, buffer), 96);
  }
  char old[32];
  struct {
    unsigned short dev, ino, mode, nlink, uid, gid, rdev;
    unsigned size, atime, mtime, ctime;
  } few;
  _Static_assert(sizeof few == sizeof old, "struct __old_kernel_stat");
  if (syscall(18, "/tmp/f", &few) == 0)
    CHECK(few.size == 5 && S_ISREG(few.mode) && few.nlink == 1 && few.mtime != 0);
  else
    CHECK(errno == EOVERFLOW);  // the number of the inode has more than 16 bits
  CHECK((syscall(28, fd, old) == 0) == (syscall(84, "/dev/null", &few) == 0));

  struct stat64 st;
  fd = open("/tmp/f", O_RDWR | O_LARGEFILE);
  CHECK(ftruncate64(fd, 5000000000LL) == 0 && syscall(195, "/tmp/f", &st) == 0 && st.st_size == 5000000000LL);
  FAILS(syscall(106, "/tmp/f", old), EOVERFLOW);
  FAILS(syscall(5, "/tmp/f", O_RDONLY), EOVERFLOW);
  CHECK(truncate64("/tmp/f", 4500000000LL) == 0 && fstat64(fd, &st) == 0 && st.st_size == 4500000000LL);
  CHECK(truncate("/tmp/f", 7) == 0 && fstat64(fd, &st) == 0 && st.st_size == 7);
  FAILS(syscall(195, "/tmp/f", (void*)1), EFAULT);
  close(fd);
  CHECK(unlink("/tmp/f") == 0);
}

static void file_systems(void) {
  int fd = open("/dev", O_RDONLY);
  SAME(syscall(99, "/dev", buffer), syscall(100, fd, buffer), 64);
  SAME(syscall(268, "/dev", 84, buffer), syscall(269, fd, 84, buffer), 84);
  char buffer[128];
  FAILS(syscall(268, "/dev", 120, buffer), EINVAL);
  close(fd);
}

static long long modified(const char* path, long* fraction) {
  struct stat64 st;
  CHECK(stat64(path, &st) == 0);
  *fraction = st.st_mtim.tv_nsec;
  return st.st_mtim.tv_sec;
}

static void times(void) {
  long fraction;
  close(open("/tmp/t", O_CREAT | O_WRONLY, 0600));
  int two[2] = {1000, 2000};
  CHECK(syscall(30, "/tmp/t", two) == 0 && modified("/tmp/t", &fraction) == 2000);
  int four[4] = {1, 2, 3000, 4};
  CHECK(syscall(271, "/tmp/t", four) == 0 && modified("/tmp/t", &fraction) == 3000 && fraction == 4000);
  four[2] = 3001;
  CHECK(syscall(299, AT_FDCWD, "/tmp/t", four) == 0 && modified("/tmp/t", &fraction) == 3001 && fraction == 4000);
  CHECK(syscall(320, AT_FDCWD, "/tmp/t", four, 0) == 0 && modified("/tmp/t", &fraction) == 3001 && fraction == 4);
  four[3] = 1000000;
  FAILS(syscall(271, "/tmp/t", four), EINVAL);
  long long wide[4] = {1, 2, 5000000000LL, 6 | 1LL << 40};
  if (syscall(412, AT_FDCWD, "/tmp/t", wide, 0) == 0) {
    struct statx more;
    CHECK(statx(AT_FDCWD, "/tmp/t", 0, STATX_BASIC_STATS, &more) == 0);
    CHECK(more.stx_mtime.tv_nsec == 6 &&
          (more.stx_mtime.tv_sec == 5000000000LL || more.stx_mtime.tv_sec == 0x7fffffff));
  }
  CHECK(unlink("/tmp/t") == 0);
}

static void short_ids(void) {
  if (geteuid() != 0) return;  // the driver may run it as another user
  pid_t pid = fork();
  if (pid == 0) {
    failures = 0;
    struct stat64 st;
    close(open("/tmp/o", O_CREAT | O_WRONLY, 0600));
    CHECK(syscall(182, "/tmp/o", 7, 0xffff) == 0 && stat64("/tmp/o", &st) == 0 && st.st_uid == 7 && st.st_gid == 0);
    CHECK(syscall(212, "/tmp/o", -1, 100000) == 0 && stat64("/tmp/o", &st) == 0 && st.st_gid == 100000);
    char bytes[64];
    CHECK(syscall(106, "/tmp/o", bytes) == 0 && *(unsigned short*)(bytes + 14) == 65534);
    CHECK(unlink("/tmp/o") == 0);
    unsigned short narrow[3] = {1, 2, 3};
    unsigned wide[3];
    CHECK(syscall(81, 3, narrow) == 0 && syscall(205, 3, wide) == 3 && wide[0] == 1 && wide[2] == 3);
    unsigned large[2] = {70000, 4};
    CHECK(syscall(206, 2, large) == 0 && syscall(80, 3, narrow) == 2);
    CHECK((narrow[0] == 65534 && narrow[1] == 4) || (narrow[1] == 65534 && narrow[0] == 4));
    CHECK(syscall(164, 0xffff, 5, 0xffff) == 0 && syscall(165, &narrow[0], &narrow[1], &narrow[2]) == 0);
    CHECK(narrow[0] == 0 && narrow[1] == 5 && narrow[2] == 0 && syscall(49) == 5 && syscall(201) == 5);
    CHECK(syscall(208, -1, 0, -1) == 0 && syscall(208, 70000, 70000, 70000) == 0);
    CHECK(syscall(24) == 65534 && syscall(199) == 70000 && syscall(49) == 65534 && syscall(201) == 70000);
    fflush(stdout);
    _exit(failures);
  }
  int status = -1;
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

// The driver shows another release.
static void names(void) {
  const char* release = getenv("COMPAT_RELEASE");
  if (release == NULL) return;
  char text[6 * 65];
  CHECK(syscall(122, text) == 0 && strcmp(text + 2 * 65, release) == 0 && strcmp(text, "Linux") == 0);
  CHECK(syscall(109, text) == 0 && strcmp(text + 2 * 65, release) == 0);
  CHECK(syscall(59, text) == 0 && strncmp(text + 2 * 9, release, 8) == 0);
}

// The socket calls by their own numbers and by socketcall(2).
static void sockets(void) {
  struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/tmp/s"}, seen;
  for (int multiplexed = 0; multiplexed < 2; ++multiplexed) {
    int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t room = sizeof seen;
    long bind_args[] = {s, (long)&a, sizeof a}, connect_args[] = {c, (long)&a, sizeof a};
    long name_args[] = {s, (long)&seen, (long)&room};
    memset(&seen, 0, sizeof seen);
    CHECK((multiplexed ? syscall(102, 2, bind_args) : syscall(361, s, &a, sizeof a)) == 0);
    FAILS(multiplexed ? syscall(102, 2, bind_args) : syscall(361, s, &a, sizeof a), EADDRINUSE);
    CHECK((multiplexed ? syscall(102, 6, name_args) : syscall(367, s, &seen, &room)) == 0);
    CHECK(strcmp(seen.sun_path, "/tmp/s") == 0 && listen(s, 1) == 0);
    CHECK((multiplexed ? syscall(102, 3, connect_args) : syscall(362, c, &a, sizeof a)) == 0);
    CHECK(bind_args[0] == s && bind_args[1] == (long)&a && connect_args[0] == c);
    CHECK(unlink("/tmp/s") == 0);
    close(s);
    close(c);
  }
  FAILS(syscall(102, 2, (void*)1), EFAULT);
  FAILS(syscall(102, 99, NULL), EINVAL);
}

// A copy of this program without PT_GNU_STACK: all that it can read it can execute.
static void old_program(const char* self) {
  static const char code[] = {(char)0xb8, 42, 0, 0, 0, (char)0xc3};  // mov $42, %eax; ret
  if (getenv("COMPAT_OLD") != NULL) {
    char* heap = malloc(sizeof code);
    memcpy(heap, code, sizeof code);
    char stack[sizeof code];
    memcpy(stack, code, sizeof code);
    exit(((int (*)(void))heap)() == 42 && ((int (*)(void))(void*)stack)() == 42 ? 9 : 1);
  }
  struct stat64 st;
  int from = open(self, O_RDONLY), to = open("/tmp/old", O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0755);
  CHECK(fstat64(from, &st) == 0 && ftruncate(to, (off_t)st.st_size) == 0);
  char* file = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
  CHECK(read(from, file, (size_t)st.st_size) == st.st_size);
  Elf32_Ehdr* header = (Elf32_Ehdr*)file;
  Elf32_Phdr* segments = (Elf32_Phdr*)(file + header->e_phoff);
  for (int i = 0; i < header->e_phnum; ++i)
    if (segments[i].p_type == PT_GNU_STACK) segments[i].p_type = PT_NULL;
  munmap(file, (size_t)st.st_size);
  close(from);
  close(to);
  pid_t pid = fork();
  if (pid == 0) {
    setenv("COMPAT_OLD", "1", 1);
    execl("/tmp/old", "old", (char*)NULL);
    _exit(2);
  }
  int status = -1;
  CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 9);
  CHECK(unlink("/tmp/old") == 0);
}

static void refused(void) {
  FAILS(syscall(102 + 600), ENOSYS);
  FAILS(syscall(17), ENOSYS);                  // break
  FAILS(syscall(86, "/lib/libc.so"), ENOSYS);  // uselib
  FAILS(syscall(22, "/tmp"), EPERM);           // umount
  FAILS(syscall(425, 1, NULL), ENOSYS);        // io_uring_setup
  FAILS(syscall(120, 0x10000000, 0), EPERM);   // clone with CLONE_NEWUSER
}

int main(int argc, char** argv) {
  old_program(argv[0]);
  stats();
  file_systems();
  times();
  short_ids();
  names();
  sockets();
  refused();
  DONE;
}
