// Parents, children, orphans, and crowds of them.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "report.h"

static char* self;
static volatile int* shared;

static pid_t begin(void) {
  fflush(stdout);
  return fork();
}

static void orphans(void) {
  int done[2];
  char text[64];
  if (pipe(done) != 0) exit(98);
  REPORT(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
  int is = 0;
  REPORT(prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0));
  printf("subreaper %d\n", is);
  pid_t reaper = getpid(), pid = begin();
  if (pid == 0) {
    setsid();
    pid_t grandchild = fork();
    if (grandchild == 0) {
      pid_t parent = getppid();
      while (getppid() == parent && parent != reaper) usleep(1000);
      struct stat st;
      int found = stat("/etc/passwd", &st);
      _exit(write(done[1], getppid() == reaper && found == 0 ? "yes" : "no ", 3) == 3 ? 5 : 1);
    }
    _exit(0);
  }
  int status;
  waitpid(pid, &status, 0);
  printf("child %x, reparented %.*s\n", (unsigned)status, (int)read(done[0], text, sizeof text), text);
  pid = waitpid(-1, &status, 0);
  printf("orphan ours %d %x\n", pid > 0, (unsigned)status);
  prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

static void death_signals(void) {
  int ends[2];
  char text[64];
  if (pipe(ends) != 0) exit(98);
  pid_t pid = begin();
  if (pid == 0) {
    pid_t child = fork();
    if (child == 0) {
      sigset_t set;
      siginfo_t info;
      sigemptyset(&set);
      sigaddset(&set, SIGUSR1);
      sigprocmask(SIG_BLOCK, &set, NULL);
      prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0);
      if (write(ends[1], "r", 1) != 1) _exit(1);
      int n = sigwaitinfo(&set, &info);
      _exit(write(ends[1], n == SIGUSR1 ? "told" : "what", 4) == 4 ? 0 : 1);
    }
    if (read(ends[0], text, 1) != 1) _exit(1);
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  ssize_t n = read(ends[0], text, sizeof text);
  printf("death of the parent: %.*s\n", (int)n, text);
}

static void sessions(void) {
  pid_t pid = begin();
  if (pid == 0) {
    pid_t session = setsid();
    printf("session %d %d %d\n", session == getpid(), getsid(0) == getpid(), getpgrp() == getpid());
    REPORT(setsid());
    REPORT(setpgid(0, 0));
    exit(0);
  }
  waitpid(pid, NULL, 0);
  pid = begin();
  if (pid == 0) {
    REPORT(setpgid(0, getppid()));
    REPORT(setpgid(0, 0));
    exit(0);
  }
  waitpid(pid, NULL, 0);
}

// Calls of an undumpable process must still work, and it stays what it asked to be.
static void undumpable(void) {
  pid_t pid = begin();
  if (pid == 0) {
    struct stat st;
    char text[4096];
    REPORT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    REPORT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    REPORT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    REPORT(prctl(PR_SET_DUMPABLE, 5, 0, 0, 0));
    REPORT(stat("/etc/passwd", &st));
    SUCCEEDS(open("/etc/passwd", O_RDONLY));
    REPORT(getcwd(text, sizeof text) != NULL);
    pid_t child = fork();
    if (child == 0) {
      printf("inherited %d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
      exit(0);
    }
    waitpid(child, NULL, 0);
    execl(self, "dumpable", NULL);
    exit(1);
  }
  waitpid(pid, NULL, 0);
}

static void* exec_from_thread(void* unused) {
  execl(self, "from a thread", NULL);
  return unused;
}

static void* run_on(void* unused) {
  struct stat st;
  for (;;) stat("/etc/passwd", &st);
  return unused;
}

static void exec_of_a_thread(void) {
  for (int i = 0; i < 20; ++i) {
    pid_t pid = begin();
    if (pid == 0) {
      pthread_t thread;
      shared[1] = getpid();
      for (int n = 0; n < 4; ++n) pthread_create(&thread, NULL, run_on, NULL);
      pthread_create(&thread, NULL, exec_from_thread, NULL);
      if (i % 2 == 0) pthread_exit(NULL);
      run_on(NULL);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    printf("exec of a thread: %x same %d alone %d\n", (unsigned)status, shared[2] == pid, shared[3]);
  }
}

static int again(void) {
  shared[2] = getpid();
  char name[64];
  snprintf(name, sizeof name, "/proc/%d/task", getpid());
  struct stat st;
  shared[3] = stat(name, &st) == 0 ? (int)st.st_nlink - 2 : -1;
  return 8;
}

static void map_shared(int fd) {
  shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (shared == MAP_FAILED) exit(97);
}

// As many at once as asked for, each in the middle of a call when the last one begins.
static void many_processes(int wanted) {
  int gate[2], alive = 0, bad = 0;
  char byte;
  if (pipe(gate) != 0) exit(98);
  pid_t* pids = calloc((size_t)wanted, sizeof *pids);
  fflush(stdout);
  for (; alive < wanted; ++alive) {
    pids[alive] = fork();
    if (pids[alive] < 0) break;
    if (pids[alive] > 0) continue;
    struct stat st;
    close(gate[1]);
    int failed = stat("/etc/passwd", &st) != 0;
    failed |= read(gate[0], &byte, 1) != 0;
    failed |= access("/etc/group", R_OK) != 0;
    int fd = open("/proc/self/stat", O_RDONLY);
    failed |= fd < 0 || read(fd, &byte, 1) != 1;
    _exit(failed);
  }
  close(gate[1]);
  for (int i = 0; i < alive; ++i) {
    int status = -1;
    if (waitpid(pids[i], &status, 0) != pids[i] || status != 0) ++bad;
  }
  printf("processes %d bad %d\n", alive, bad);
  close(gate[0]);
  free(pids);
}

static pthread_barrier_t barrier;

static void* one_of_many(void* unused) {
  struct stat st;
  long failed = stat("/etc/passwd", &st) != 0;
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 10; ++i) {
    int fd = open("/etc/group", O_RDONLY);
    failed |= fd < 0;
    close(fd);
    failed |= access("/nothing", F_OK) == 0;
  }
  pthread_barrier_wait(&barrier);
  (void)unused;
  return (void*)failed;
}

static void many_threads(int wanted) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  pthread_barrier_init(&barrier, NULL, (unsigned)wanted);
  pthread_t* all = calloc((size_t)wanted, sizeof *all);
  int bad = 0;
  for (int i = 0; i < wanted; ++i)
    if (pthread_create(&all[i], &attributes, one_of_many, NULL) != 0) {
      printf("only %d threads\n", i);
      exit(0);
    }
  for (int i = 0; i < wanted; ++i) {
    void* failed = NULL;
    pthread_join(all[i], &failed);
    bad += failed != NULL;
  }
  printf("threads %d bad %d\n", wanted, bad);
  free(all);
}

int main(int count, char** words) {
  if (strcmp(words[0], "dumpable") == 0) return printf("after exec %d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)), 0;
  if (strcmp(words[0], "from a thread") == 0) {
    map_shared(100);
    return again();
  }
  self = words[0];
  enter(count, words);
  const int fd = open("shared", O_RDWR | O_CREAT, 0600);
  if (ftruncate(fd, 4096) != 0 || dup2(fd, 100) != 100) return 97;
  map_shared(100);
  orphans();
  death_signals();
  sessions();
  undumpable();
  exec_of_a_thread();
  many_processes(2000);
  many_threads(2000);
  return 0;
}
