// Signals, stops and ends: what a program sees of its own and what its parent sees of it.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include "report.h"

static volatile sig_atomic_t caught, values_wrong;

static void count(int number) {
  (void)number;
  ++caught;
}

static void count_in_order(int number, siginfo_t* info, void* unused) {
  struct stat st;
  (void)number;
  (void)unused;
  int saved = errno;
  if (info->si_value.sival_int != caught || info->si_code != SI_QUEUE || stat("/etc/passwd", &st) != 0) ++values_wrong;
  ++caught;
  errno = saved;
}

static void handle(int number, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigaction(number, &action, NULL);
}

static pid_t begin(void) {
  fflush(stdout);
  return fork();
}

static void wait_and_tell(const char* what, pid_t pid, int flags) {
  int status = -1;
  if (waitpid(pid, &status, flags) < 0)
    printf("%s: %s\n", what, strerrorname_np(errno));
  else
    printf("%s: %x\n", what, (unsigned)status);
}

static void ends(void) {
  for (int code = 0; code < 256; code += 51) {
    pid_t pid = begin();
    if (pid == 0) _exit(code);
    wait_and_tell("exit", pid, 0);
  }
  for (int number = 1; number <= SIGRTMAX; ++number) {
    pid_t pid = begin();
    if (pid == 0) {
      signal(number, SIG_DFL);
      raise(number);
      _exit(0);
    }
    int status = -1;
    waitpid(pid, &status, WUNTRACED);
    printf("signal %d: %x\n", number, (unsigned)status & ~0x80U);  // whether there is a core is another test
    if (WIFSTOPPED(status)) {
      kill(pid, SIGKILL);
      wait_and_tell("killed", pid, 0);
    }
  }
  pid_t pid = begin();
  if (pid == 0) *(volatile int*)8 = 1;
  siginfo_t info = {0};
  waitid(P_PID, (id_t)pid, &info, WEXITED);
  printf("fault: code %d status %d\n", info.si_code, info.si_status);
}

static void on_fault(int number, siginfo_t* info, void* unused) {
  (void)unused;
  printf("fault %d code %d at 16: %d\n", number, info->si_code, info->si_addr == (void*)16);
  fflush(stdout);
  _exit(4);
}

static void faults(void) {
  for (int kind = 0; kind < 4; ++kind) {
    pid_t pid = begin();
    if (pid == 0) {
      struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
      for (int number = 1; number < 32; ++number) sigaction(number, &action, NULL);
      if (kind == 0) *(volatile int*)16 = 1;
      if (kind == 1) raise(SIGBUS);
      if (kind == 2) __asm__ volatile("ud2");
      if (kind == 3) __asm__ volatile("int3");
      _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    printf("kind %d: %x\n", kind, (unsigned)status);
  }
}

static void report_info(const char* what, pid_t pid, int flags) {
  siginfo_t info = {0};
  if (waitid(P_PID, (id_t)pid, &info, flags) != 0)
    printf("%s: %s\n", what, strerrorname_np(errno));
  else
    printf("%s: code %d status %d same %d\n", what, info.si_code, info.si_status, info.si_pid == pid);
}

static void* busy(void* unused) {
  struct stat st;
  for (;;) stat("/etc/passwd", &st);
  return unused;
}

static void stops(void) {
  static const int all[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
  for (unsigned i = 0; i < 8; ++i) {
    int ready[2];
    char byte;
    if (pipe(ready) != 0) exit(98);
    pid_t pid = begin();
    if (pid == 0) {
      setpgid(0, 0);
      pthread_t thread;
      if (i >= 4) pthread_create(&thread, NULL, busy, NULL);
      if (write(ready[1], "x", 1) != 1) _exit(1);
      busy(NULL);
    }
    if (read(ready[0], &byte, 1) != 1) exit(98);
    kill(pid, all[i % 4]);
    wait_and_tell("stopped", pid, WUNTRACED);
    wait_and_tell("not again", pid, WUNTRACED | WNOHANG);
    kill(pid, SIGCONT);
    wait_and_tell("continued", pid, WCONTINUED);
    kill(pid, SIGSTOP);
    report_info("stopped", pid, WSTOPPED);
    kill(pid, SIGCONT);
    report_info("continued", pid, WCONTINUED | WNOWAIT);
    report_info("continued", pid, WCONTINUED);
    kill(pid, SIGSTOP);
    wait_and_tell("stopped", pid, WUNTRACED);
    kill(pid, i % 2 == 0 ? SIGKILL : SIGTERM);
    if (i % 2 != 0) kill(pid, SIGCONT);
    wait_and_tell("ended", pid, 0);
    close(ready[0]);
    close(ready[1]);
  }
  // An orphaned group is not stopped by the terminal's signals.
  pid_t pid = begin();
  if (pid == 0) {
    setsid();
    raise(SIGTSTP);
    _exit(6);
  }
  wait_and_tell("orphaned group", pid, WUNTRACED);
}

// Queued signals arrive all, in order and with their values, while the program makes calls of all kinds.
static void storm(void) {
  enum { k_signals = 3000 };
  int ready[2];
  char byte;
  if (pipe(ready) != 0) exit(98);
  pid_t pid = begin();
  if (pid == 0) {
    struct sigaction action = {.sa_sigaction = count_in_order, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGRTMIN, &action, NULL);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    int bad = 0;
    while (caught < k_signals) {
      struct stat st;
      char text[4096];
      int fd = open("/etc/passwd", O_RDONLY);
      bad += fd < 0;
      bad += stat("/etc/group", &st) != 0;
      bad += readlink("/proc/self/exe", text, sizeof text) < 0;
      bad += getcwd(text, sizeof text) == NULL;
      bad += access("/nothing", F_OK) == 0 || errno != ENOENT;
      bad += mkdir("storm", 0700) != 0;
      bad += rename("storm", "storm2") != 0;
      bad += rmdir("storm2") != 0;
      bad += read(fd, text, 10) != 10;
      close(fd);
    }
    printf("caught %d wrong %d failed %d\n", caught, values_wrong, bad);
    exit(0);
  }
  if (read(ready[0], &byte, 1) != 1) exit(98);
  for (int i = 0; i < k_signals; ++i)
    while (sigqueue(pid, SIGRTMIN, (union sigval){.sival_int = i}) != 0) sched_yield();
  wait_and_tell("storm", pid, 0);
}

// A child that sends a signal when its parent sleeps in a call, and then does what ends the call. That the parent
// sleeps is read from its state.
static pid_t disturber(int number, int times, void (*finish)(void)) {
  pid_t parent = getpid(), pid = begin();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != parent) _exit(0);
  char name[64], text[512];
  snprintf(name, sizeof name, "/proc/%d/stat", parent);
  for (int i = 0; i <= times; ++i) {
    int sleeps = 0;
    while (sleeps < 5) {
      int fd = open(name, O_RDONLY);
      ssize_t n = read(fd, text, sizeof text - 1);
      close(fd);
      text[n > 0 ? n : 0] = '\0';
      char* state = strrchr(text, ')');
      sleeps = state != NULL && state[2] == 'S' ? sleeps + 1 : 0;
      usleep(2000);
    }
    if (i < times) kill(parent, number);
  }
  finish();
  _exit(0);
}

static int pipe_ends[2];
static void write_pipe(void) { _exit(write(pipe_ends[1], "x", 1) == 1 ? 0 : 1); }
static void open_fifo(void) { _exit(open("fifo", O_WRONLY) >= 0 ? 0 : 1); }
static void nothing(void) {}

static void connect_to(void) {
  struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "server"};
  int s = socket(AF_UNIX, SOCK_STREAM, 0);
  _exit(connect(s, (struct sockaddr*)&a, sizeof a) == 0 ? 0 : 1);
}

static void interrupted(void) {
  struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "server"}, from;
  char byte;
  if (pipe(pipe_ends) != 0 || mkfifo("fifo", 0600) != 0) exit(98);
  int server = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(server, (struct sockaddr*)&a, sizeof a) != 0 || listen(server, 5) != 0) exit(98);
  for (int restarts = 0; restarts < 2; ++restarts) {
    handle(SIGUSR1, count, restarts ? SA_RESTART : 0);
    const int times = restarts ? 3 : 1;
    caught = 0;
    socklen_t length = sizeof from;
    pid_t pid = disturber(SIGUSR1, times, write_pipe);
    REPORT(read(pipe_ends[0], &byte, 1));
    if (!restarts) REPORT(read(pipe_ends[0], &byte, 1));
    wait_and_tell("child", pid, 0);
    pid = disturber(SIGUSR1, times, open_fifo);
    SUCCEEDS(open("fifo", O_RDONLY));
    if (!restarts) SUCCEEDS(open("fifo", O_RDONLY));
    wait_and_tell("child", pid, 0);
    pid = disturber(SIGUSR1, times, connect_to);
    SUCCEEDS(accept(server, (struct sockaddr*)&from, &length));
    if (!restarts) SUCCEEDS(accept(server, (struct sockaddr*)&from, &length));
    wait_and_tell("child", pid, 0);
    pid = disturber(SIGUSR1, 1, nothing);
    struct timespec time = {60, 0};
    REPORT(nanosleep(&time, &time));
    printf("left %d\n", time.tv_sec >= 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    pid = disturber(SIGUSR1, 1, nothing);
    struct pollfd fd = {pipe_ends[0], POLLIN, 0};
    REPORT(poll(&fd, 1, 60000));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    printf("caught %d\n", caught);
  }
  // A stop and its end are no interruption.
  pid_t outer = begin();
  if (outer == 0) {
    pid_t pid = disturber(SIGSTOP, 1, nothing);
    (void)pid;
    REPORT(read(pipe_ends[0], &byte, 1));
    SUCCEEDS(open("fifo", O_RDONLY));
    exit(0);
  }
  wait_and_tell("stopped", outer, WUNTRACED);
  kill(outer, SIGCONT);
  if (write(pipe_ends[1], "x", 1) != 1) exit(98);
  SUCCEEDS(open("fifo", O_WRONLY));
  wait_and_tell("went on", outer, 0);
}

// Signals that are blocked, and taken from the queue.
static void queued(void) {
  sigset_t set;
  siginfo_t info;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGRTMIN + 3);
  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGUSR2);
  sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 5});
  sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 6});
  for (int i = 0; i < 3; ++i) {
    int number = sigwaitinfo(&set, &info);
    printf("took %d value %d\n", number, number == SIGUSR2 ? 0 : info.si_value.sival_int);
  }
  struct timespec none = {0, 0};
  REPORT(sigtimedwait(&set, &info, &none));
}

// A handler with its own stack and a mask, nested, that jumps nowhere but makes calls.
static void nested(int number) {
  struct stat st;
  ++caught;
  if (number == SIGUSR1) raise(SIGUSR2);
  if (stat("/etc/passwd", &st) != 0) ++values_wrong;
}

static void handlers(void) {
  static char place[65536];
  stack_t stack = {.ss_sp = place, .ss_size = sizeof place};
  sigaltstack(&stack, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  caught = values_wrong = 0;
  handle(SIGUSR1, nested, SA_ONSTACK | SA_NODEFER);
  handle(SIGUSR2, nested, SA_ONSTACK);
  handle(SIGALRM, nested, SA_ONSTACK | SA_RESTART);
  struct itimerval often = {{0, 300}, {0, 300}};
  setitimer(ITIMER_REAL, &often, NULL);
  int bad = 0;
  for (int i = 0; i < 3000; ++i) {
    struct stat st;
    bad += stat("/etc/group", &st) != 0 || lstat("/nothing", &st) == 0;
    if (i % 100 == 0) raise(SIGUSR1);
  }
  setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
  printf("enough %d wrong %d failed %d\n", caught >= 60, values_wrong, bad);
}

int main(int count, char** words) {
  enter(count, words);
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  ends();
  faults();
  stops();
  storm();
  interrupted();
  queued();
  handlers();
  return 0;
}
