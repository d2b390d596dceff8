// What /proc says of a program itself, of its threads and of other processes. The first argument is its directory.
#include "report.h"

#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#if __SIZEOF_POINTER__ == 8
typedef Elf64_auxv_t Entry;
typedef Elf64_Phdr Segment;
#else
typedef Elf32_auxv_t Entry;
typedef Elf32_Phdr Segment;
#endif

extern char** environ;
extern char _start[];
static char* self;
static char top[4096];

static ssize_t content(const char* of, const char* name, char* text, size_t size) {
  char path[128];
  snprintf(path, sizeof path, "/proc/%s/%s", of, name);
  int fd = open(path, O_RDONLY);
  if (fd < 0) return -1;
  ssize_t n = 0, part;
  while ((part = read(fd, text + n, size - 1 - (size_t)n)) > 0) n += part;
  close(fd);
  text[n] = '\0';
  return n;
}

// A path with what depends on the place taken off: only names below our directory and names of ours are told whole.
static const char* placed(char* name) {
  static char out[4200];
  size_t length = strlen(top);
  if (strncmp(name, top, length) == 0)
    snprintf(out, sizeof out, "TOP%s", name + length);
  else if (name[0] == '/' && strrchr(name, '/') != name)
    snprintf(out, sizeof out, "..%s", strrchr(name, '/'));
  else if (strchr(name, '[') != NULL && strchr(name, ':') != NULL)
    *strchr(name, '[') = '\0', snprintf(out, sizeof out, "%s", name);
  else
    snprintf(out, sizeof out, "%s", name);
  return out;
}

static void link_of(const char* of, const char* name) {
  char path[128], target[4096];
  struct stat st;
  snprintf(path, sizeof path, "/proc/%s/%s", of, name);
  ssize_t n = readlink(path, target, sizeof target - 1);
  target[n > 0 ? n : 0] = '\0';
  printf("%s -> %s, %s\n", name, n < 0 ? strerrorname_np(errno) : placed(target),
         stat(path, &st) == 0 ? "leads there" : "broken");
}

static void texts(const char* of) {
  char text[65536];
  ssize_t n = content(of, "comm", text, sizeof text);
  printf("comm %s", n < 0 ? "none\n" : text);
  n = content(of, "stat", text, sizeof text);
  char* open = strchr(text, '(');
  char* close = strrchr(text, ')');
  printf("stat %.*s\n", open != NULL && close != NULL ? (int)(close + 1 - open) : 4, open != NULL ? open : "none");
  n = content(of, "status", text, sizeof text);
  printf("status %.*s\n", (int)strcspn(text, "\n"), text);
  n = content(of, "cmdline", text, sizeof text);
  printf("cmdline of %s:", strrchr(text, '/') != NULL ? strrchr(text, '/') : text);
  for (ssize_t at = (ssize_t)strlen(text) + 1; at < n; at += (ssize_t)strlen(text + at) + 1)
    printf(" %s", placed(text + at));
  n = content(of, "environ", text, sizeof text);
  printf("\nenviron");
  for (ssize_t at = 0; at < n; at += (ssize_t)strlen(text + at) + 1)
    if (strncmp(text + at, "SEEN", 4) == 0) printf(" %s", text + at);
  printf("\n");
  link_of(of, "exe");
  link_of(of, "cwd");
  link_of(of, "root");
  link_of(of, "ns/mnt");
  fflush(stdout);
}

static Entry* find(Entry* entries, size_t count, unsigned long type) {
  for (size_t i = 0; i < count; ++i)
    if (entries[i].a_type == type) return &entries[i];
  return NULL;
}

// The vector that the kernel keeps is that of the stack.
static void vector_of(const char* of) {
  static const unsigned long types[] = {AT_PHDR,   AT_PHENT,    AT_PHNUM,        AT_ENTRY, AT_BASE,
                                        AT_EXECFN, AT_PAGESZ,   AT_RANDOM,       AT_UID,   AT_EGID,
                                        AT_SECURE, AT_PLATFORM, AT_SYSINFO_EHDR, AT_CLKTCK};
  char text[4096];
  ssize_t n = content(of, "auxv", text, sizeof text);
  printf("vector %d:", n > 0);
  for (unsigned i = 0; i < sizeof types / sizeof *types; ++i) {
    Entry* entry = n > 0 ? find((Entry*)text, (size_t)n / sizeof(Entry), types[i]) : NULL;
    printf(" %d", entry == NULL ? -1 : entry->a_un.a_val == getauxval(types[i]));
  }
  printf("\n");
}

static void own_vector(void) {
  char* name = (char*)getauxval(AT_EXECFN);
  const Segment* segments = (const Segment*)getauxval(AT_PHDR);
  int loads = 0;
  for (unsigned long i = 0; i < getauxval(AT_PHNUM); ++i) loads += segments[i].p_type == PT_LOAD;
  printf("executed as ours %d, entry %d, segments %d, base %lx, secure %lu\n", strcmp(name, self) == 0,
         getauxval(AT_ENTRY) == (unsigned long)_start, loads > 1, getauxval(AT_BASE), getauxval(AT_SECURE));
}

// In which mapping an address is.
static void mapping(const char* of, const char* what, const void* address) {
  static char text[1 << 20];
  content(of, "maps", text, sizeof text);
  for (char* line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    unsigned long low, high;
    char rights[8] = "", name[4096] = "";
    sscanf(line, "%lx-%lx %7s %*x %*s %*d %4095[^\n]", &low, &high, rights, name);
    if ((unsigned long)address < low || (unsigned long)address >= high) continue;
    printf("%s in %s %s\n", what, rights, placed(name));
    return;
  }
  printf("%s nowhere\n", what);
}

static void mappings(const char* of) {
  char* heap = sbrk(4096);
  int fd = open("file", O_RDWR | O_CREAT, 0600);
  if (ftruncate(fd, 4096) != 0) exit(98);
  char* mapped = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
  mapping(of, "code", (const void*)(size_t)&mappings);
  mapping(of, "stack", &heap);
  mapping(of, "heap", heap);
  mapping(of, "file", mapped);
  munmap(mapped, 4096);
  close(fd);
}

static void descriptors(const char* of) {
  int ends[2], sockets[2];
  char text[64];
  const int at = 50;
  dup2(open("file", O_RDWR | O_CREAT, 0600), at);
  dup2(open(".", O_RDONLY), at + 1);
  dup2(open("gone", O_RDWR | O_CREAT, 0600), at + 2);
  unlink("gone");
  if (pipe(ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) exit(98);
  dup2(ends[0], at + 3);
  dup2(sockets[0], at + 4);
  dup2(memfd_create("mine", 0), at + 5);
  dup2(open("/dev/null", O_RDONLY), at + 6);
  dup2(open("/proc/self/status", O_RDONLY), at + 7);
  for (int i = 0; i < 9; ++i) {
    snprintf(text, sizeof text, "fd/%d", at + i);
    if (i != 7) link_of(of, text);
  }
  snprintf(text, sizeof text, "fd/%d/file", at + 1);
  link_of(of, text);
}

static void all_of(const char* of) {
  printf("== %s\n", strncmp(of, "self", 4) == 0 || strncmp(of, "thread", 6) == 0 ? "own" : "another");
  texts(of);
  vector_of(of);
  mappings(of);
}

static void* in_thread(void* unused) {
  char name[64];
  prctl(PR_SET_NAME, "a thread", 0, 0, 0);
  all_of("thread-self");
  snprintf(name, sizeof name, "self/task/%d", gettid());
  all_of(name);
  snprintf(name, sizeof name, "%d/task/%d", getpid(), gettid());
  all_of(name);
  snprintf(name, sizeof name, "%d", gettid());
  all_of(name);
  all_of("self");
  descriptors("thread-self");
  return unused;
}

// A process that goes on leaves the state `before` and sleeps, sooner or later.
static void tell_state(const char* of, char before) {
  char text[4096], state;
  do {
    content(of, "stat", text, sizeof text);
    state = strrchr(text, ')')[2];
  } while (state == 'R' || state == before);
  printf("state %c", strrchr(text, ')')[2]);
  content(of, "status", text, sizeof text);
  printf(" %.12s\n", strstr(text, "State:") + 7);
}

static void of_child(void) {
  char name[64];
  int ready[2];
  char byte;
  if (pipe(ready) != 0) exit(98);
  mkdir("below", 0700);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    if (chdir("below") != 0 || prctl(PR_SET_NAME, "the child", 0, 0, 0) != 0) _exit(1);
    dup2(open("of the child", O_RDWR | O_CREAT, 0600), 60);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    pause();
  }
  if (read(ready[0], &byte, 1) != 1) exit(98);
  snprintf(name, sizeof name, "%d", pid);
  all_of(name);
  link_of(name, "fd/60");
  kill(pid, SIGSTOP);
  waitpid(pid, NULL, WUNTRACED);
  tell_state(name, 0);
  kill(pid, SIGCONT);
  waitpid(pid, NULL, WCONTINUED);
  tell_state(name, 'T');
  kill(pid, SIGKILL);
  siginfo_t info;
  waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
  tell_state(name, 0);
  waitpid(pid, NULL, 0);
  link_of(name, "exe");
}

// Whatever is seen of a program that is just being started, it is of this one: there is no other.
static void just_started(void) {
  char name[64], text[4096];
  char* words[] = {self, "sleep", NULL};
  int strange = 0, wrong_words = 0;
  for (int i = 0; i < 200; ++i) {
    pid_t pid;
    if (posix_spawn(&pid, self, NULL, NULL, words, environ) != 0) exit(98);
    snprintf(name, sizeof name, "%d", pid);
    content(name, "comm", text, sizeof text);
    if (strcmp(text, "proc\n") != 0) ++strange, printf("comm '%s'\n", text);
    content(name, "stat", text, sizeof text);
    if (strstr(text, "(proc)") == NULL) ++strange, printf("stat '%s'\n", text);
    content(name, "status", text, sizeof text);
    if (strncmp(text, "Name:\tproc\n", 11) != 0) ++strange, printf("status '%.30s'\n", text);
    ssize_t n = content(name, "cmdline", text, sizeof text);
    wrong_words += n > 0 && strcmp(text, self) != 0;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
  }
  printf("strange names %d, words %d\n", strange, wrong_words);
}

int main(int count, char** words) {
  if (strcmp(words[1], "sleep") == 0) return pause();
  self = words[0];
  enter(count, words);
  if (getcwd(top, sizeof top) == NULL) return 98;
  setenv("SEEN_LATER", "no", 1);
  own_vector();
  all_of("self");
  descriptors("self");
  pthread_t thread;
  pthread_create(&thread, NULL, in_thread, NULL);
  pthread_join(thread, NULL);
  of_child();
  just_started();
  return 0;
}
