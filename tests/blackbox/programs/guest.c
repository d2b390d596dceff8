/* A guest that reports what it sees, one "name: value" line each; with arguments it does one thing:
 *   guest                 report
 *   guest cat FILE        copy a file to standard output
 *   guest write FILE TEXT create a file
 *   guest spawn PROGRAM.. run a program by fork and exec, and report its status
 *   guest thread          start and join a thread
 *   guest status N        end with status N
 *   guest signal N        end by signal N
 *   guest catch           report every signal that comes ("got N", with its value if it has one), until SIGRTMAX */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char* what) {
  fprintf(stderr, "guest: %s: %s\n", what, strerror(errno));
  return 1;
}

static int report(void) {
  char folder[4096];
  char self[4096];
  const struct passwd* user = getpwuid(getuid());
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  printf("uid: %d\n", (int)getuid());
  printf("gid: %d\n", (int)getgid());
  printf("user: %s\n", user ? user->pw_name : "?");
  printf("cwd: %s\n", getcwd(folder, sizeof folder) ? folder : "?");
  self[length < 0 ? 0 : length] = '\0';
  printf("exe: %s\n", self);
  printf("home: %s\n", getenv("HOME") ? getenv("HOME") : "");
  return 0;
}

static int cat(const char* path) {
  char block[65536];
  ssize_t got;
  int file = open(path, O_RDONLY);
  if (file < 0) return fail(path);
  while ((got = read(file, block, sizeof block)) > 0)
    if (write(1, block, (size_t)got) != got) return fail("standard output");
  return got < 0 ? fail(path) : 0;
}

static int put(const char* path, const char* text) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return fail(path);
  if (write(file, text, strlen(text)) < 0) return fail(path);
  return close(file) ? fail(path) : 0;
}

static int spawn(char** words) {
  int status = 0;
  pid_t child = fork();
  if (child < 0) return fail("fork");
  if (child == 0) {
    execvp(words[0], words);
    _exit(fail(words[0]) + 126);
  }
  if (waitpid(child, &status, 0) != child) return fail("waitpid");
  if (WIFSIGNALED(status)) printf("signal: %d\n", WTERMSIG(status));
  if (WIFEXITED(status)) printf("status: %d\n", WEXITSTATUS(status));
  return 0;
}

static void* in_thread(void* name) {
  return access(name, F_OK) ? NULL : name;
}

static int thread(void) {
  pthread_t id;
  void* result = NULL;
  static char path[] = "/etc/passwd";
  if (pthread_create(&id, NULL, in_thread, path) || pthread_join(id, &result)) return fail("thread");
  puts(result ? "thread: saw /etc/passwd" : "thread: saw nothing");
  return result ? 0 : 1;
}

static void caught(int number, siginfo_t* info, void* context) {
  char line[64];
  int length = info->si_code == SI_QUEUE
                   ? snprintf(line, sizeof line, "got %d value %d\n", number, info->si_value.sival_int)
                   : snprintf(line, sizeof line, "got %d\n", number);
  (void)context;
  if (write(1, line, (size_t)length) != length) _exit(1);
  if (number == SIGRTMAX) _exit(0);
}

static int catch_all(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  sigfillset(&action.sa_mask);
  action.sa_sigaction = caught;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  for (int number = 1; number <= SIGRTMAX; ++number) sigaction(number, &action, NULL); /* two cannot be caught */
  puts("ready");
  fflush(stdout);
  for (;;) pause();
}

int main(int count, char** words) {
  if (count == 1) return report();
  if (count == 3 && !strcmp(words[1], "cat")) return cat(words[2]);
  if (count == 4 && !strcmp(words[1], "write")) return put(words[2], words[3]);
  if (count >= 3 && !strcmp(words[1], "spawn")) {
    int result = spawn(words + 2);
    fflush(stdout);
    return result;
  }
  if (count == 2 && !strcmp(words[1], "thread")) return thread();
  if (count == 2 && !strcmp(words[1], "catch")) return catch_all();
  if (count == 3 && !strcmp(words[1], "status")) return atoi(words[2]);
  if (count == 3 && !strcmp(words[1], "signal")) return raise(atoi(words[2]));
  fprintf(stderr, "guest: unknown request\n");
  return 64;
}
