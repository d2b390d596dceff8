// Runs a command and spoils its Nth call that changes files: the call fails without being done, or the command is killed
// before it. Its children are left alone.
//
//   inject ERROR FIRST COUNT REPORT COMMAND [ARGUMENT...]
//
// ERROR    number of an error, or `kill`. Calls that need no room do not fail with ENOSPC and EDQUOT, and are not counted.
// FIRST    the first call that is spoilt, from 1 on; 0: none, all are counted
// COUNT    how many are spoilt from that one on; 0: the disk is full from that one on: all, but what is removed makes room
//          for another two, and names can be moved
// REPORT   a file that gets a line for each call that was counted; a `!` before those that were spoilt
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NEEDS_ROOM = 1, TAKES_FD = 2, OPENS = 4, MAKES_ROOM = 8, MOVES = 16 };
struct call {
  long number;
  const char* name;
  int argument;  // of the path, or of the descriptor with TAKES_FD
  int kind;
};
static const struct call k_calls[] = {
    {SYS_open, "open", 0, NEEDS_ROOM | OPENS},
    {SYS_openat, "openat", 1, NEEDS_ROOM | OPENS},
    {SYS_creat, "creat", 0, NEEDS_ROOM},
    {SYS_write, "write", 0, NEEDS_ROOM | TAKES_FD},
    {SYS_writev, "writev", 0, NEEDS_ROOM | TAKES_FD},
    {SYS_pwrite64, "pwrite", 0, NEEDS_ROOM | TAKES_FD},
    {SYS_sendfile, "sendfile", 0, NEEDS_ROOM | TAKES_FD},
    {SYS_copy_file_range, "copy_file_range", 2, NEEDS_ROOM | TAKES_FD},
    {SYS_fallocate, "fallocate", 0, NEEDS_ROOM | TAKES_FD},
    {SYS_fsync, "fsync", 0, NEEDS_ROOM | TAKES_FD},
    {SYS_fdatasync, "fdatasync", 0, NEEDS_ROOM | TAKES_FD},
    {SYS_mkdir, "mkdir", 0, NEEDS_ROOM},
    {SYS_mkdirat, "mkdirat", 1, NEEDS_ROOM},
    {SYS_mknodat, "mknodat", 1, NEEDS_ROOM},
    {SYS_symlink, "symlink", 1, NEEDS_ROOM},
    {SYS_symlinkat, "symlinkat", 2, NEEDS_ROOM},
    {SYS_link, "link", 1, NEEDS_ROOM},
    {SYS_linkat, "linkat", 3, NEEDS_ROOM},
    {SYS_rename, "rename", 1, MOVES},
    {SYS_renameat, "renameat", 3, MOVES},
    {SYS_renameat2, "renameat2", 3, MOVES},
    {SYS_ftruncate, "ftruncate", 0, TAKES_FD},
    {SYS_fchmod, "fchmod", 0, TAKES_FD},
    {SYS_chmod, "chmod", 0, 0},
    {SYS_fchmodat, "fchmodat", 1, 0},
    {SYS_utimensat, "utimensat", 1, 0},
    {SYS_unlink, "unlink", 0, MAKES_ROOM},
    {SYS_unlinkat, "unlinkat", 1, MAKES_ROOM},
    {SYS_rmdir, "rmdir", 0, MAKES_ROOM},
};

static int k_error, k_first, k_count;  // k_error 0: kill
static FILE* report;
static int seen, room;
// The threads whose call was taken from them and that have not got the error yet.
static pid_t failing[64];

static void die(const char* what) {
  perror(what);
  exit(99);
}

static const struct call* find_call(long number) {
  for (unsigned i = 0; i < sizeof k_calls / sizeof *k_calls; ++i)
    if (k_calls[i].number == number) return &k_calls[i];
  return 0;
}

static void read_text(pid_t thread, unsigned long address, char* text, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", thread);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? -1 : pread(fd, text, size - 1, (off_t)address);
  text[got < 0 ? 0 : got] = 0;
  close(fd);
}

// Whether the call changes a file of a disk; `text` gets which one.
static int changes_file(pid_t thread, const struct call* call, const uint64_t* args, char* text, size_t size) {
  if ((call->kind & TAKES_FD) != 0) {
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", thread, (int)args[call->argument]);
    const ssize_t length = readlink(path, text, size - 1);
    text[length < 0 ? 0 : length] = 0;
    return stat(path, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) &&
           strncmp(text, "/memfd:", 7) != 0 && strncmp(text, "/proc/", 6) != 0;
  }
  read_text(thread, args[call->argument], text, size);
  const uint64_t flags = args[call->argument + 1];
  if ((call->kind & OPENS) != 0 && (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) == 0) return 0;
  return strncmp(text, "/dev/null", 9) != 0 && strncmp(text, "/proc/", 6) != 0;
}

static void at_entry(pid_t thread, pid_t process, const uint64_t* args, long number) {
  char text[4096];
  const struct call* call = find_call(number);
  if (!call || !changes_file(thread, call, args, text, sizeof text)) return;
  const int needs_room = NEEDS_ROOM | (k_count != 0 ? MOVES : 0);
  if ((k_error == ENOSPC || k_error == EDQUOT) && (call->kind & needs_room) == 0) {
    if ((call->kind & MAKES_ROOM) != 0 && k_first != 0 && seen >= k_first) room += 2;
    return;
  }
  ++seen;
  int spoil = k_first != 0 && seen >= k_first && (k_count == 0 || seen < k_first + k_count);
  if (spoil && k_count == 0 && room > 0) {
    --room;
    spoil = 0;
  }
  fprintf(report, "%s%d %s %s\n", spoil ? "!" : "", seen, call->name, text);
  if (!spoil) return;
  if (k_error == 0) {
    kill(process, SIGKILL);
    return;
  }
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, thread, 0, &registers) != 0) return;  // it is gone
  registers.orig_rax = -1UL;
  ptrace(PTRACE_SETREGS, thread, 0, &registers);
  for (unsigned i = 0; i < sizeof failing / sizeof *failing; ++i) {
    if (failing[i] != 0) continue;
    failing[i] = thread;
    return;
  }
}

static void at_exit(pid_t thread) {
  for (unsigned i = 0; i < sizeof failing / sizeof *failing; ++i) {
    if (failing[i] != thread) continue;
    failing[i] = 0;
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, thread, 0, &registers) != 0) return;
    registers.rax = (unsigned long)-k_error;
    ptrace(PTRACE_SETREGS, thread, 0, &registers);
  }
}

static pid_t start(char** words) {
  int go[2];
  if (pipe2(go, O_CLOEXEC) != 0) die("pipe");
  const pid_t child = fork();
  if (child == 0) {
    char byte;
    if (read(go[0], &byte, 1) == 1) execv(words[0], words);
    _exit(99);
  }
  // Threads are attached by themselves; new processes are not.
  if (ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) != 0)
    die("PTRACE_SEIZE");
  if (write(go[1], "", 1) != 1) die("write");
  close(go[0]);
  close(go[1]);
  return child;
}

int main(int count, char** words) {
  if (count < 6) return 99;
  k_error = strcmp(words[1], "kill") == 0 ? 0 : atoi(words[1]);
  k_first = atoi(words[2]);
  k_count = atoi(words[3]);
  report = fopen(words[4], "we");
  if (!report) die(words[4]);
  const pid_t child = start(words + 5);
  for (int status;;) {
    const pid_t thread = waitpid(-1, &status, __WALL);
    if (thread < 0) die("waitpid");
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (thread != child) continue;
      fclose(report);
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    int signal = WSTOPSIG(status);
    if (signal == (SIGTRAP | 0x80)) {
      struct __ptrace_syscall_info info = {0};
      ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info);
      if (info.op == PTRACE_SYSCALL_INFO_ENTRY) at_entry(thread, child, info.entry.args, (long)info.entry.nr);
      if (info.op == PTRACE_SYSCALL_INFO_EXIT) at_exit(thread);
    }
    if (signal == (SIGTRAP | 0x80) || status >> 16 != 0) signal = 0;
    ptrace(PTRACE_SYSCALL, thread, 0, signal);
  }
}
