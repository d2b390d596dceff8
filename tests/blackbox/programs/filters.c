// System call filters that programs give themselves, on top of those they may be under already.
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <ucontext.h>
#include "report.h"

static int install(unsigned number, unsigned verdict, unsigned flags) {
  struct sock_filter code[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number},
      {BPF_RET | BPF_K, 0, 0, verdict},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  if (flags == 0) return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void on_trap(int number, siginfo_t* info, void* context) {
  ucontext_t* state = context;
  (void)state;
  printf("signal %d code %d call %d error %d address %d\n", number, info->si_code, info->si_syscall == SYS_mkdir,
         info->si_errno, info->si_call_addr != NULL);
  fflush(stdout);
}

static void* look(void* unused) {
  errno = 0;
  printf("thread: mkdir %ld %s\n", syscall(SYS_mkdir, "filtered", 0700), strerrorname_np(errno));
  fflush(stdout);
  return unused;
}

static void under(const char* what, unsigned number, unsigned verdict, unsigned flags) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    struct stat st;
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    int installed = install(number, verdict, flags);
    printf("%s: installed %s\n", what, installed >= 0 ? "ok" : strerrorname_np(errno));
    fflush(stdout);
    REPORT(syscall(SYS_mkdir, "filtered", 0700));
    fflush(stdout);
    REPORT(stat("/etc/passwd", &st));
    REPORT(stat("filtered", &st));
    fflush(stdout);
    REPORT(rmdir("filtered"));
    REPORT(syscall(SYS_getppid) > 0);
    fflush(stdout);
    pthread_t thread;
    pthread_create(&thread, NULL, look, NULL);
    pthread_join(thread, NULL);
    execl("/proc/self/exe", "again", "again", NULL);
    _exit(1);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  printf("%s: ended %x\n", what, (unsigned)status & ~0x80U);
  rmdir("filtered");
}

int main(int count, char** words) {
  if (strcmp(words[0], "again") == 0) {
    REPORT(mkdir("filtered", 0700));
    REPORT(rmdir("filtered"));
    return 0;
  }
  enter(count, words);
  unsigned available = SECCOMP_RET_TRACE;
  REPORT(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &available));
  REPORT(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
  REPORT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL));
  under("allow", SYS_mkdir, SECCOMP_RET_ALLOW, 0);
  under("log", SYS_mkdir, SECCOMP_RET_LOG, 0);
  under("errno", SYS_mkdir, SECCOMP_RET_ERRNO | ENOTUNIQ, 0);
  under("errno for all threads", SYS_mkdir, SECCOMP_RET_ERRNO | ENOTUNIQ, SECCOMP_FILTER_FLAG_TSYNC);
  under("errno 0", SYS_mkdir, SECCOMP_RET_ERRNO, 0);
  under("errno of a call without a path", SYS_getppid, SECCOMP_RET_ERRNO | ENOTUNIQ, 0);
  under("trap", SYS_mkdir, SECCOMP_RET_TRAP | 77, 0);
  under("trace", SYS_mkdir, SECCOMP_RET_TRACE, 0);
  under("trace 1", SYS_mkdir, SECCOMP_RET_TRACE | 1, 0);
  under("trace of a call without a path", SYS_getppid, SECCOMP_RET_TRACE | 5, 0);
  under("listener without one", SYS_mkdir, SECCOMP_RET_USER_NOTIF, 0);
  under("kill the thread", SYS_mkdir, SECCOMP_RET_KILL_THREAD, 0);
  under("kill", SYS_mkdir, SECCOMP_RET_KILL_PROCESS, SECCOMP_FILTER_FLAG_LOG);
  under("kill at exec", SYS_execve, SECCOMP_RET_KILL_PROCESS, 0);
  under("errno at exec", SYS_execve, SECCOMP_RET_ERRNO | EACCES, 0);
  return 0;
}
