// New processes and threads in all the ways that clone3, clone, vfork, posix_spawn and unshare offer. Each makes calls
// with paths, since that is where an engine has to know it.
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "report.h"

extern char** environ;
static char* self;
static char top[4096];
static volatile int* shared;

static void status(const char* what, pid_t pid, int flags) {
  int value = -1;
  errno = 0;
  if (waitpid(pid, &value, flags | __WALL) < 0)
    printf("%s: %s\n", what, strerrorname_np(errno));
  else
    printf("%s: status %x\n", what, (unsigned)value);
  fflush(stdout);
}

// Every call of it goes through the engine: directory, file, program.
static int uses_paths(void) {
  struct stat st;
  int fd = open("/etc/passwd", O_RDONLY);
  if (fd < 0 || stat(".", &st) != 0 || access("/proc/self/status", R_OK) != 0) return 70;
  close(fd);
  return 7;
}

static long clone3(struct clone_args* args, size_t size) {
  fflush(stdout);
  return syscall(SYS_clone3, args, size);
}

// Flags that need no stack of their own.
static void copies(const char* what, unsigned long long flags, int exit_signal) {
  struct clone_args args = {.flags = flags, .exit_signal = (unsigned)exit_signal};
  pid_t pid = (pid_t)clone3(&args, sizeof args);
  if (pid == 0) _exit(uses_paths());
  if (pid < 0)
    report_result(what, pid);
  else
    status(what, pid, 0);
}

static void on_signal(int number) { (void)number; }

static void by_clone3(void) {
  copies("plain", 0, SIGCHLD);
  copies("silent", 0, 0);
  signal(SIGUSR1, on_signal);
  copies("another signal", 0, SIGUSR1);
  copies("vfork", CLONE_VFORK, SIGCHLD);
  copies("files and directory", CLONE_FILES | CLONE_FS, SIGCHLD);
  copies("no handlers", CLONE_CLEAR_SIGHAND, SIGCHLD);
  copies("untraced", CLONE_UNTRACED, SIGCHLD);
  copies("untraced vfork", CLONE_UNTRACED | CLONE_VFORK, SIGCHLD);
  copies("ptrace", CLONE_PTRACE, SIGCHLD);
  copies("own semaphores", CLONE_SYSVSEM, SIGCHLD);
  copies("io", CLONE_IO, SIGCHLD);
  copies("thread alone", CLONE_THREAD, 0);
  copies("handlers alone", CLONE_SIGHAND, SIGCHLD);
  copies("bad signal", 0, 200);
  copies("detached", CLONE_DETACHED, SIGCHLD);
  struct clone_args args = {.exit_signal = SIGCHLD};
  REPORT(clone3(&args, 8));
  REPORT(clone3(&args, 5000));
  REPORT(clone3(NULL, sizeof args));
  args.flags = CLONE_INTO_CGROUP;
  args.cgroup = 999;
  REPORT(clone3(&args, sizeof args));
  pid_t wanted = 0x3ffffff;
  args = (struct clone_args){.exit_signal = SIGCHLD, .set_tid = (unsigned long)&wanted, .set_tid_size = 1};
  REPORT(clone3(&args, sizeof args) >= 0 ? 0 : -1);
}

static void with_ids(void) {
  int pidfd = -1;
  pid_t parent_tid = 0;
  struct clone_args args = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
                            .pidfd = (unsigned long)&pidfd,
                            .parent_tid = (unsigned long)&parent_tid,
                            .child_tid = (unsigned long)&shared[0],
                            .exit_signal = SIGCHLD};
  pid_t pid = (pid_t)clone3(&args, sizeof args);
  if (pid == 0) {
    pause();
    _exit(1);
  }
  printf("ids %d %d\n", pid == parent_tid, pidfd >= 0);
  struct pollfd ready = {pidfd, POLLIN, 0};
  REPORT(poll(&ready, 1, 0));
  REPORT(syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0));
  siginfo_t info = {0};
  REPORT(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED));
  printf("code %d status %d same %d\n", info.si_code, info.si_status, info.si_pid == pid);
  close(pidfd);
}

static void what_is_shared(void) {
  static const unsigned long long flags[] = {0, CLONE_FS, CLONE_FILES, CLONE_FS | CLONE_FILES,
                                             CLONE_FS | CLONE_UNTRACED};
  mkdir("elsewhere", 0755);
  for (unsigned i = 0; i < sizeof flags / sizeof *flags; ++i) {
    struct clone_args args = {.flags = flags[i], .exit_signal = SIGCHLD};
    int fd = open(".", O_RDONLY);
    pid_t pid = (pid_t)clone3(&args, sizeof args);
    if (pid == 0) {
      close(fd);
      _exit(chdir("elsewhere") == 0 ? 0 : 1);
    }
    status("shares", pid, 0);
    char now[4096] = "";
    struct stat st;
    if (getcwd(now, sizeof now) == NULL) exit(98);
    printf("moved '%s' closed %d found %d\n", now + strlen(top), fcntl(fd, F_GETFD) < 0, stat("elsewhere", &st) == 0);
    if (chdir(top) != 0) exit(98);
    close(fd);
  }
}

// Runs the child on the parent's memory, with a stack of its own.
static int on_own_stack(void* unused) {
  (void)unused;
  shared[1] = getppid();
  shared[2] = 5;
  return uses_paths();
}

static void shared_memory(void) {
  static const struct {
    int flags;
    const char* name;
  } ways[] = {{CLONE_VM | SIGCHLD, "vm"},
              {CLONE_VM | CLONE_VFORK | SIGCHLD, "vm and vfork"},
              {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD, "all but a thread"},
              {CLONE_VM | CLONE_UNTRACED | SIGCHLD, "vm untraced"},
              {CLONE_UNTRACED | SIGCHLD, "untraced"},
              {0, "no signal"}};
  char* stack = mmap(NULL, 1 << 17, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (unsigned i = 0; i < sizeof ways / sizeof *ways; ++i) {
    shared[2] = 0;
    fflush(stdout);
    pid_t pid = clone(on_own_stack, stack + (1 << 17), ways[i].flags, NULL);
    status(ways[i].name, pid, 0);
    printf("wrote %d\n", shared[2]);
  }
  // A sibling: its parent is ours.
  pid_t middle = fork();
  if (middle == 0) {
    int value;
    pid_t pid = clone(on_own_stack, stack + (1 << 17), CLONE_PARENT | SIGCHLD, NULL);
    _exit(pid > 0 && waitpid(pid, &value, __WALL) < 0 && errno == ECHILD ? 0 : 1);
  }
  status("middle", middle, 0);
  status("sibling", -1, 0);
  printf("its parent is ours: %d\n", shared[1] == getpid());
  int fd = -1;
  pid_t pid = clone(on_own_stack, stack + (1 << 17), CLONE_PIDFD | SIGCHLD, NULL, &fd);
  status("pidfd", pid, 0);
  printf("%d\n", fd >= 0);
}

static void spawns(void) {
  char* words[] = {self, ".", "child", NULL};
  char* missing[] = {"/nothing", NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t blocked, defaults;
  pid_t pid = 0;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 3, "spawned", O_CREAT | O_WRONLY, 0600);
  posix_spawn_file_actions_addclose(&actions, 0);
  posix_spawn_file_actions_addchdir_np(&actions, "elsewhere");
  posix_spawnattr_init(&attributes);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  sigfillset(&defaults);
  posix_spawnattr_setsigmask(&attributes, &blocked);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  fflush(stdout);
  printf("spawn %s\n", strerrorname_np(posix_spawn(&pid, self, &actions, &attributes, words, environ)));
  status("spawned", pid, 0);
  printf("spawn nothing %s\n", strerrorname_np(posix_spawn(&pid, "/nothing", NULL, NULL, missing, environ)));
  printf("spawn a directory %s\n", strerrorname_np(posix_spawn(&pid, "/etc", NULL, NULL, missing, environ)));
  fflush(stdout);
  pid = vfork();
  if (pid == 0) {
    shared[3] = 9;
    execv("/nothing", missing);
    execv(self, words);
    _exit(1);
  }
  printf("after exec %d\n", shared[3]);
  status("vfork", pid, 0);
}

// What a program sees that spawns() has started.
static int child(void) {
  sigset_t blocked;
  char now[4096] = "";
  sigprocmask(SIG_SETMASK, NULL, &blocked);
  if (getcwd(now, sizeof now) == NULL) return 98;
  char* name = strrchr(now, '/');
  printf("child in %s, usr2 %d, own group %d, descriptors %d %d\n", strcmp(name, "/elsewhere") == 0 ? name : "another",
         sigismember(&blocked, SIGUSR2), getpgrp() == getpid(), fcntl(0, F_GETFD) >= 0, fcntl(3, F_GETFD) >= 0);
  return 3;
}

static void* leave(void* what) {
  struct stat st;
  const int flags = *(int*)what;
  printf("unshare %x %s\n", (unsigned)flags, unshare(flags) == 0 ? "ok" : strerrorname_np(errno));
  printf("%s\n", chdir("elsewhere") == 0 && stat("../spawned", &st) == 0 ? "entered" : "not entered");
  return NULL;
}

static void threads(void) {
  static int flags[] = {0, CLONE_FS, CLONE_FILES, CLONE_FS | CLONE_FILES, CLONE_SYSVSEM, CLONE_THREAD, CLONE_VM, 0x10};
  for (unsigned i = 0; i < sizeof flags / sizeof *flags; ++i) {
    pthread_t thread;
    char now[4096] = "";
    pthread_create(&thread, NULL, leave, &flags[i]);
    pthread_join(thread, NULL);
    if (getcwd(now, sizeof now) == NULL) exit(98);
    printf("main thread in '%s'\n", now + strlen(top));
    if (chdir(top) != 0) exit(98);
  }
}

int main(int count, char** words) {
  if (count > 2 && strcmp(words[2], "child") == 0) return child();
  enter(count, words);
  if (getcwd(top, sizeof top) == NULL) return 98;
  self = words[0];
  shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  by_clone3();
  with_ids();
  what_is_shared();
  shared_memory();
  spawns();
  threads();
  return 0;
}
