// Threads, processes and signals as a guest sees them: everything here must be as without an engine.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char** environ;
static volatile long hits;

static void count(int signal) {
  (void)signal;
  ++hits;
}

// A handler that itself makes calls with paths.
static void count_and_look(int signal) {
  (void)signal;
  int saved = errno;
  struct stat st;
  ++hits;
  if (stat("/etc/passwd", &st) != 0) _exit(77);
  int fd = open("/etc/passwd", O_RDONLY);
  if (fd < 0) _exit(78);
  close(fd);
  errno = saved;
}

static void start_timer(long microseconds, void (*handler)(int), int flags) {
  struct sigaction action = {0};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(SIGALRM, &action, NULL);
  struct itimerval timer = {{0, microseconds}, {0, microseconds}};
  setitimer(ITIMER_REAL, &timer, NULL);
}

static int status_of(pid_t pid) {
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

static int exited_with(pid_t pid, int code) {
  int status = status_of(pid);
  return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

// The kernel changes no register but rax, rcx and r11.
static void registers_survive(void) {
#ifdef __x86_64__
  static const char path[] = "/etc/passwd";
  long rax = 257, rdi = -100, rsi = (long)path, rdx = 0;
  register long r8 __asm__("r8") = 0x88, r9 __asm__("r9") = 0x99, r10 __asm__("r10") = 0xaa;
  __asm__ volatile("syscall"
                   : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r8), "+r"(r9), "+r"(r10)
                   :
                   : "rcx", "r11", "memory");
  int same = rdi == -100 && rsi == (long)path && rdx == 0 && r8 == 0x88 && r9 == 0x99 && r10 == 0xaa;
  CHECK(rax >= 0);
  CHECK(same);
  close((int)rax);
#endif
}

static void* look(void* unused) {
  struct stat st;
  char cwd[4096];
  for (int i = 0; i < 500; ++i) {
    CHECK(stat("/etc/passwd", &st) == 0);
    int fd = open("/etc/passwd", O_RDONLY);
    CHECK(fd >= 0);
    close(fd);
    CHECK(getcwd(cwd, sizeof cwd) != NULL);
  }
  return unused;
}

static void* spawn(void* unused) {
  for (int i = 0; i < 10; ++i) {
    char* argv[] = {"true", NULL};
    pid_t pid;
    CHECK(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) == 0);
    CHECK(exited_with(pid, 0));
  }
  return unused;
}

static void threads_under_signals(void) {
  pthread_t threads[6];
  start_timer(500, count, SA_RESTART);
  look(NULL);
  start_timer(700, count_and_look, SA_RESTART);
  for (int i = 0; i < 6; ++i) CHECK(pthread_create(&threads[i], NULL, i % 2 ? look : spawn, NULL) == 0);
  for (int i = 0; i < 6; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  // No signal interrupts these calls, even if its handler asks for it.
  start_timer(300, count, 0);
  look(NULL);
  for (int i = 0; i < 4; ++i) CHECK(pthread_create(&threads[i], NULL, look, NULL) == 0);
  for (int i = 0; i < 4; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  start_timer(0, count, 0);
  CHECK(hits > 0);
}

// Signals that arrive while a call with a translated path waits.
static void blocked_open(const char* fifo) {
  CHECK(mkfifo(fifo, 0600) == 0);
  struct sigaction action = {0};
  action.sa_handler = count;
  sigaction(SIGALRM, &action, NULL);
  struct itimerval once = {{0, 0}, {0, 50000}};
  setitimer(ITIMER_REAL, &once, NULL);
  FAILS(open(fifo, O_RDONLY), EINTR);

  start_timer(20000, count_and_look, SA_RESTART);
  pid_t writer = fork();
  if (writer == 0) {
    start_timer(0, count, 0);
    usleep(200000);
    int out = open(fifo, O_WRONLY);
    _exit(write(out, "x", 1) == 1 ? 0 : 1);
  }
  int in = open(fifo, O_RDONLY);
  char byte = 0;
  CHECK(in >= 0);
  CHECK(read(in, &byte, 1) == 1 && byte == 'x');
  close(in);
  start_timer(0, count, 0);
  CHECK(exited_with(writer, 0));

  // Stopped and continued: the call is restarted without any handler.
  pid_t reader = fork();
  if (reader == 0) {
    in = open(fifo, O_RDONLY);
    _exit(read(in, &byte, 1) == 1 && byte == 'y' ? 0 : 9);
  }
  usleep(50000);
  int status;
  kill(reader, SIGSTOP);
  CHECK(waitpid(reader, &status, WUNTRACED) == reader && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  kill(reader, SIGCONT);
  CHECK(waitpid(reader, &status, WCONTINUED) == reader && WIFCONTINUED(status));
  int out = open(fifo, O_WRONLY);
  CHECK(write(out, "y", 1) == 1);
  close(out);
  CHECK(exited_with(reader, 0));
  unlink(fifo);
}

static void stops(void) {
  pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    for (;;) pause();
  }
  usleep(50000);
  const int signals[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
  for (int i = 0; i < 4; ++i) {
    int status;
    kill(pid, signals[i]);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == signals[i]);
    kill(pid, SIGCONT);
    CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
  }
  kill(pid, SIGKILL);
  int status = status_of(pid);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void statuses(void) {
  pid_t pid = fork();
  if (pid == 0) abort();
  int status = status_of(pid);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  siginfo_t info;
  pid = fork();
  if (pid == 0) _exit(42);
  CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
  CHECK(info.si_code == CLD_EXITED && info.si_status == 42 && info.si_pid == pid);
  CHECK(exited_with(pid, 42));
}

static void queued_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &set, NULL);
  for (int i = 0; i < 20; ++i) {
    union sigval value = {.sival_int = i};
    CHECK(sigqueue(getpid(), SIGRTMIN, value) == 0);
  }
  for (int i = 0; i < 20; ++i) {
    siginfo_t info;
    CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_value.sival_int == i);
  }
}

static void* exec_shell(void* unused) {
  execl("/bin/sh", "sh", "-c", "exit 23", (char*)NULL);
  return unused;
}

static void* exit_later(void* unused) {
  usleep(20000);
  _exit(5);
  return unused;
}

static void thread_ends(void) {
  pthread_t thread;
  pid_t pid = fork();
  if (pid == 0) {  // exec by a thread that is not the first
    pthread_create(&thread, NULL, exec_shell, NULL);
    for (;;) pause();
  }
  CHECK(exited_with(pid, 23));
  pid = fork();
  if (pid == 0) {  // the first thread ends before the others
    pthread_create(&thread, NULL, exit_later, NULL);
    pthread_exit(NULL);
  }
  CHECK(exited_with(pid, 5));
}

static void new_processes(void) {
  pid_t pid = vfork();
  if (pid == 0) {
    execl("/bin/sh", "sh", "-c", "exit 7", (char*)NULL);
    _exit(1);
  }
  CHECK(exited_with(pid, 7));
  pid = vfork();
  if (pid == 0) {
    execl("/no/such", "x", (char*)NULL);
    _exit(errno);
  }
  CHECK(exited_with(pid, ENOENT));
  CHECK(system("exit 3") == 3 << 8);

  int pipes[2];  // a daemon: two forks and a session
  CHECK(pipe(pipes) == 0);
  pid = fork();
  if (pid == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    usleep(20000);
    struct stat st;
    char byte = stat("/etc/passwd", &st) == 0 ? 'd' : 'e';
    _exit(write(pipes[1], &byte, 1) == 1 ? 0 : 1);
  }
  CHECK(exited_with(pid, 0));
  char byte = 0;
  CHECK(read(pipes[0], &byte, 1) == 1 && byte == 'd');

  pid = fork();  // ignored signals stay ignored over exec
  if (pid == 0) {
    signal(SIGUSR1, SIG_IGN);
    execl("/bin/sh", "sh", "-c", "kill -USR1 $$; exit 3", (char*)NULL);
  }
  CHECK(exited_with(pid, 3));
}

int main(int argc, char** argv) {
  (void)argc;
  char fifo[4096];
  snprintf(fifo, sizeof fifo, "/tmp/fifo-%s-%d", strrchr(argv[0], '/') + 1, (int)getpid());
  registers_survive();
  threads_under_signals();
  blocked_open(fifo);
  stops();
  statuses();
  queued_signals();
  thread_ends();
  new_processes();
  DONE;
}
