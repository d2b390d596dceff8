// Ends with a core: of the program itself, and of children.
#include "report.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

// Whether there is a core file, and of what form; its name is "core", with the process behind it where the machine says
// so.
static void look(pid_t pid) {
  char with_pid[64];
  unsigned char head[EI_NIDENT] = {0};
  snprintf(with_pid, sizeof with_pid, "core.%d", pid);
  const char* name = access("core", F_OK) == 0 ? "core" : with_pid;
  struct stat st;
  int fd = open(name, O_RDONLY);
  if (fd < 0 || fstat(fd, &st) != 0 || read(fd, head, sizeof head) != sizeof head) {
    printf("no core\n");
    return;
  }
  printf("core: elf %d mode %o ours %d large %d\n", memcmp(head, ELFMAG, SELFMAG) == 0, st.st_mode & 07777,
         st.st_uid == geteuid(), st.st_size > 4096);
  close(fd);
  unlink(name);
}

static void* run_on(void* unused) {
  for (;;) pause();
  return unused;
}

static void child(const char* what, int number, rlim_t limit, int dumpable, int threads) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    struct rlimit size = {limit, limit};
    pthread_t thread;
    setrlimit(RLIMIT_CORE, &size);
    if (!dumpable) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    for (int i = 0; i < threads; ++i) pthread_create(&thread, NULL, run_on, NULL);
    if (number == 0) *(volatile int*)8 = 1;
    raise(number);
    _exit(1);
  }
  siginfo_t info = {0};
  int status = -1;
  waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
  waitpid(pid, &status, 0);
  printf("%s: %x code %d\n", what, (unsigned)status, info.si_code);
  look(pid);
}

int main(int count, char** words) {
  enter(count, words);
  child("abort", SIGABRT, 1 << 26, 1, 0);
  child("fault", 0, 1 << 26, 1, 0);
  child("threads", SIGQUIT, 1 << 26, 1, 5);
  child("limited", SIGABRT, 0, 1, 0);
  child("undumpable", SIGABRT, 1 << 26, 0, 0);
  child("no core of it", SIGTERM, 1 << 26, 1, 0);
  fflush(stdout);
  struct rlimit size = {1 << 26, 1 << 26};
  setrlimit(RLIMIT_CORE, &size);
  signal(SIGSEGV, SIG_DFL);
  *(volatile int*)8 = 1;
  return 0;
}
