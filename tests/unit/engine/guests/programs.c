// What a program finds when it starts, and what exec says about files that are no programs.
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char** environ;

static int file_with(const char* path, const char* text, mode_t mode) {
  int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0700);
  int good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0;
  close(fd);
  return good;
}

// Output of a program.
static int prints(char* const argv[], const char* path, const char* expected) {
  int pipes[2];
  if (pipe(pipes) != 0) return 0;
  pid_t pid = fork();
  if (pid == 0) {
    dup2(pipes[1], 1);
    execve(path, argv, environ);
    _exit(errno);
  }
  close(pipes[1]);
  char text[4096];
  size_t size = 0;
  for (ssize_t n; (n = read(pipes[0], text + size, sizeof text - 1 - size)) > 0;) size += (size_t)n;
  text[size] = '\0';
  close(pipes[0]);
  int status = -1;
  waitpid(pid, &status, 0);
  if (strcmp(text, expected) != 0)
    printf("%s printed \"%s\", not \"%s\"; wait status %x\n", path, text, expected, status);
  return strcmp(text, expected) == 0;
}

static int exec_error(const char* path) {
  pid_t pid = fork();
  if (pid == 0) {
    char* argv[] = {(char*)path, NULL};
    execve(path, argv, environ);
    _exit(errno);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void errors(void) {
  CHECK(exec_error("/none") == ENOENT && exec_error("/tmp") == EACCES && exec_error("/etc/passwd") == EACCES);
  CHECK(exec_error("/etc/passwd/x") == ENOTDIR && exec_error("") == ENOENT);
  CHECK(file_with("/tmp/p", "not a program", 0755) && exec_error("/tmp/p") == ENOEXEC);
  CHECK(file_with("/tmp/p", "", 0755) && exec_error("/tmp/p") == ENOEXEC);
  CHECK(file_with("/tmp/p", "\177ELF", 0755) && exec_error("/tmp/p") == ENOEXEC);
  CHECK(file_with("/tmp/p", "#!", 0755) && exec_error("/tmp/p") == ENOEXEC);
  CHECK(file_with("/tmp/p", "#!/none\n", 0755) && exec_error("/tmp/p") == ENOENT);
  CHECK(file_with("/tmp/p", "#!/tmp\n", 0755) && exec_error("/tmp/p") == EACCES);
  CHECK(file_with("/tmp/p", "#!/tmp/p\n", 0755) && exec_error("/tmp/p") == ELOOP);
  CHECK(file_with("/tmp/p", "#!/bin/sh\nexit 3\n", 0644) && exec_error("/tmp/p") == EACCES);
  CHECK(chmod("/tmp/p", 0755) == 0 && exec_error("/tmp/p") == 3);
  int fd = open("/tmp/p", O_WRONLY | O_CLOEXEC);
  CHECK(exec_error("/tmp/p") == ETXTBSY);
  close(fd);
  Elf32_Ehdr x32 = {.e_ident = ELFMAG "\1\1\1",
                    .e_type = ET_EXEC,
                    .e_machine = EM_X86_64,
                    .e_version = 1,
                    .e_phentsize = sizeof(Elf32_Phdr),
                    .e_phnum = 1,
                    .e_phoff = sizeof x32};
  fd = open("/tmp/p", O_WRONLY | O_TRUNC | O_CLOEXEC);
  CHECK(write(fd, &x32, sizeof x32) == sizeof x32);
  close(fd);
  CHECK(exec_error("/tmp/p") == ENOEXEC);
  FAILS(execve((char*)1, NULL, NULL), EFAULT);
  CHECK(unlink("/tmp/p") == 0);
}

static void scripts(const char* self) {
  char line[256];
  snprintf(line, sizeof line, "#! %s \t words  with blanks \n", self);
  CHECK(file_with("/tmp/one", line, 0755));
  char* argv[] = {"name", "a", "", "b c", NULL};
  char expected[512];
  snprintf(expected, sizeof expected, "[%s][words  with blanks][/tmp/one][a][][b c]\n", self);
  setenv("PROGRAMS_PRINT", "1", 1);
  CHECK(prints(argv, "/tmp/one", expected));
  CHECK(file_with("/tmp/two", "#!/tmp/one x\n", 0755));
  snprintf(expected, sizeof expected, "[%s][words  with blanks][/tmp/one][x][/tmp/two][a][][b c]\n", self);
  CHECK(prints(argv, "/tmp/two", expected));
  snprintf(expected, sizeof expected, "[%s][words  with blanks][/tmp/one]\n", self);
  char* none[] = {NULL};
  CHECK(prints(none, "/tmp/one", expected));
  CHECK(chdir("/tmp") == 0);
  snprintf(expected, sizeof expected, "[%s][words  with blanks][./one][a][][b c]\n", self);
  CHECK(prints(argv, "./one", expected) && chdir("/") == 0);
  unsetenv("PROGRAMS_PRINT");
  CHECK(unlink("/tmp/two") == 0);
}

// The script /tmp/one and `self`, which counts its words.
static void many_words(const char* self) {
  enum { k_words = 60000 };
  static char* many[k_words + 1];
  char text[32];
  setenv("PROGRAMS_PRINT", "count", 1);
  // As many as fit a small buffer, the room below a stack, none of both.
  static const int counts[] = {400, 600, 5000, 20000, k_words};
  for (unsigned i = 0; i < sizeof counts / sizeof *counts; ++i) {
    for (int k = 0; k < counts[i]; ++k) many[k] = "w";
    many[counts[i]] = NULL;
    snprintf(text, sizeof text, "%d words\n", counts[i] + 2);
    CHECK(prints(many, "/tmp/one", text));
    // Where the stack begins is random: as often as one place in four would show.
    snprintf(text, sizeof text, "%d words\n", counts[i]);
    for (int k = 0; k < 12; ++k) CHECK(prints(many, self, text));
  }
  // The same with the memory of the parent, which has to stay as it is.
  setenv("PROGRAMS_PRINT", "none", 1);
  for (int i = 0; i < 3; ++i) {
    pid_t pid = vfork();
    if (pid == 0) {
      execve("/tmp/one", many, environ);
      _exit(errno);
    }
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    for (int k = 0; k < k_words; ++k)
      if (strcmp(many[k], "w") != 0) CHECK(!"the words are as they were");
  }
  unsetenv("PROGRAMS_PRINT");
  CHECK(chmod("/tmp/one", 0600) == 0);
  CHECK(execve("/tmp/one", many, environ) == -1 && errno == EACCES);
  CHECK(unlink("/tmp/one") == 0);
}

// With next to nothing on the stack, wherever that begins.
static void few_words(const char* self) {
  char* argv[] = {"-", NULL};
  char* nothing[] = {NULL};
  for (int i = 0; i < 200; ++i) {
    pid_t pid = fork();
    if (pid == 0) {
      execve(self, argv, nothing);
      _exit(errno);
    }
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  }
}

static void by_descriptor(const char* self) {
  setenv("PROGRAMS_PRINT", "1", 1);
  char* argv[] = {"first", "second", NULL};
  int fd = open(self, O_RDONLY | O_CLOEXEC);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  CHECK(prints(argv, path, "[first][second]\n"));
  pid_t pid = fork();
  if (pid == 0) {
    dup2(open("/dev/null", O_WRONLY), 1);
    syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
    _exit(errno);
  }
  int status = -1;
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  // Linux 6.14 can also be asked whether it would do it; older ones do not know the flag.
  enum { check = 0x10000 };
  long known = syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH | check);
  CHECK(known == 0 || errno == EINVAL);
  if (known == 0) {
    FAILS(syscall(SYS_execveat, AT_FDCWD, "/etc/passwd", argv, environ, check), EACCES);
    FAILS(syscall(SYS_execveat, AT_FDCWD, "/none", argv, environ, check), ENOENT);
    CHECK(syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, environ, check) == 0);
  }
  // A program that has no name at all.
  int copy = memfd_create("program", MFD_CLOEXEC);
  struct stat st;
  CHECK(copy >= 0 && fstat(fd, &st) == 0);
  char block[65536];
  lseek(fd, 0, SEEK_SET);
  for (ssize_t n; (n = read(fd, block, sizeof block)) > 0;) CHECK(write(copy, block, (size_t)n) == n);
  snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
  int readable = open(path, O_RDONLY | O_CLOEXEC);
  close(copy);
  pid = fork();
  if (pid == 0) {
    dup2(open("/dev/null", O_WRONLY), 1);
    fexecve(readable, argv, environ);
    _exit(errno);
  }
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  unsetenv("PROGRAMS_PRINT");
  close(fd);
  close(readable);
}

static void start(const char* self) {
  const ElfW(Phdr)* headers = (const ElfW(Phdr)*)getauxval(AT_PHDR);
  CHECK(headers != NULL && getauxval(AT_PHNUM) > 0 && getauxval(AT_PHENT) == sizeof *headers);
  int segments = 0;
  for (unsigned long i = 0; headers != NULL && i < getauxval(AT_PHNUM); ++i) segments += headers[i].p_type == PT_LOAD;
  CHECK(segments > 0 && getauxval(AT_ENTRY) != 0 && getauxval(AT_RANDOM) != 0);
  CHECK(strcmp((const char*)getauxval(AT_EXECFN), self) == 0);
  char name[16] = {0};
  CHECK(prctl(PR_GET_NAME, name) == 0 && strncmp(name, strrchr(self, '/') + 1, 15) == 0);
  FILE* file = fopen("/proc/self/comm", "r");
  char text[4096] = {0};
  CHECK(file != NULL && fgets(text, sizeof text, file) != NULL && strncmp(text, name, strlen(name)) == 0);
  fclose(file);
  file = fopen("/proc/self/cmdline", "r");
  size_t n = fread(text, 1, sizeof text - 1, file);
  CHECK(n >= strlen(self) + 1 && strcmp(text, self) == 0);
  fclose(file);
  char* heap = sbrk(0);  // musl lets nobody grow it
  if (sbrk(8192) != (void*)-1) {
    memset(heap, 1, 8192);
    CHECK(sbrk(0) == heap + 8192);
  }
  CHECK(prctl(PR_GET_DUMPABLE) == 1);
}

int main(int argc, char** argv) {
  const char* print = getenv("PROGRAMS_PRINT");
  if (print != NULL) {
    for (int i = 0; i < argc && print[0] == '1'; ++i) printf("[%s]", argv[i]);
    if (print[0] == '1')
      puts("");
    else if (print[0] == 'c')
      printf("%d words\n", argc);
    return 0;
  }
  if (argc == 1 && strcmp(argv[0], "-") == 0) return 0;
  start(argv[0]);
  errors();
  scripts(argv[0]);
  many_words(argv[0]);
  few_words(argv[0]);
  by_descriptor(argv[0]);
  DONE;
}
