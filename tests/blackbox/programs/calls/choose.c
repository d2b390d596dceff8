// Random choices: paths, descriptors, flags.
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int ordinary_user;
int old_kernel;
int deep_run;
int linking_run;
static uint64_t state;

// splitmix64
static uint64_t draw(void) {
  uint64_t z = (state += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

void begin_choices(unsigned long long seed, unsigned index) {
  state = seed;
  state = draw() ^ ((uint64_t)index << 32 | index);
  draw();
}

unsigned below(unsigned limit) { return (unsigned)(draw() % limit); }
int percent(unsigned chance) { return below(100) < chance; }

// The buffers of the paths of one call.
static char* fresh_buffer(void) {
  static char buffers[4][3 * PATH_MAX];
  static unsigned next;
  return buffers[next++ % 4];
}

static void add(char* path, const char* text) { strcat(path, text); }

static void add_long_name(char* path, unsigned length) {
  char* end = path + strlen(path);
  memset(end, 'L', length);
  end[length] = '\0';
}

static void add_name(char* path) {
  const unsigned kind = below(100);
  if (kind < 5)
    add(path, "..");
  else if (kind < 8)
    add(path, ".");
  else if (kind == 8)
    add_long_name(path, NAME_MAX);
  else if (kind == 9 && percent(50))
    add_long_name(path, NAME_MAX + 1);
  else {
    const char name[] = {"aaabbbcccddef"[below(13)], '\0'};
    add(path, name);
  }
}

static void add_number(char* path, unsigned number) { sprintf(path + strlen(path), "%u", number); }

// Where a path begins. Returns false if it is to end there.
static int add_start(char* path) {
  const unsigned kind = below(100);
  if (kind < 52) return 1;
  if (kind < 68) return add(path, "/w/"), 1;
  if (kind < 76) return add(path, "/vol/"), 1;
  if (kind < 81) return add(path, "/ro/"), 1;
  if (kind < 83) return add(path, "/vol/in/"), 1;
  if (kind < 84) return add(path, "/vol/in"), 0;
  if (kind < 85) return add(path, "/bound"), 0;
  if (kind < 86) return add(path, "/ro-file"), 0;
  if (kind < 87) return add(path, percent(50) ? "/" : "/vol"), 0;
  if (kind < 88) return add(path, percent(50) ? "/ro" : "/w"), 0;
  if (kind < 90) {
    for (unsigned n = 1 + below(4); n > 0; --n) add(path, "../");
    return add(path, percent(60) ? "w/" : "vol/"), 1;
  }
  // Few or too many links: between 20 and 40 a walk that the kernel begins anew counts them twice.
  if (kind < 92) return add(path, "/w/chain/"), add_number(path, percent(20) ? 1 + below(4) : 25 + below(20)), percent(20) ? (add(path, "/"), 1) : 0;
  if (kind < 97) {
    add(path, percent(20) ? "/dev/fd/" : "/proc/self/fd/");
    add_number(path, k_first_slot + below(k_slots));
    return percent(40) ? (add(path, "/"), 1) : 0;
  }
  if (kind < 98) return add(path, "/proc/self/cwd/"), 1;
  if (kind < 99) return add(path, "/proc/self/root/w/"), 1;
  return add(path, percent(50) ? "/proc/self/cwd" : "/proc/thread-self/root"), 0;
}

static void add_end(char* path) {
  const unsigned kind = below(100);
  if (kind < 5) add(path, "/");
  if (kind == 5) add(path, "/.");
  if (kind == 6) add(path, "/..");
  if (kind == 7) add(path, "///");
}

// Up to the longest path that the kernel takes, one byte less and one more.
static void make_edge(char* path) {
  const size_t length = PATH_MAX - 2 + below(3);
  const size_t rest = strlen(path);
  if (rest == 0 || path[0] == '/' || rest > 200) return;
  memmove(path + length - rest, path, rest + 1);
  for (size_t i = 0; i < length - rest; ++i) path[i] = i % 2 == 0 ? '.' : '/';
  if ((length - rest) % 2 != 0) path[length - rest - 1] = '/';
}

static void show(struct path* path) {
  const size_t length = strlen(path->text);
  if (length < 100)
    snprintf(path->shown, sizeof path->shown, "\"%s\"", path->text);
  else
    snprintf(path->shown, sizeof path->shown, "\"%.20s..%s\"(%zu)", path->text, path->text + length - 30, length);
}

static void choose_text(char* text) {
  text[0] = '\0';
  if (percent(1)) return;
  if (add_start(text)) {
    for (unsigned n = 1 + (percent(45) ? 1 + below(3) : 0); n > 0; --n) {
      add_name(text);
      if (n > 1) add(text, percent(4) ? "//" : "/");
    }
  }
  add_end(text);
  if (percent(1)) make_edge(text);
}

// A text that ends where the memory ends; without its NUL it cannot be read.
static const char* at_page_end(const char* text, int terminated) {
  static char* pages;
  const size_t page = 4096;
  const size_t size = strlen(text) + (terminated ? 1 : 0);
  if (pages == NULL) {
    pages = mmap(NULL, 5 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(pages + 4 * page, page);
  }
  return size > 4 * page ? text : memcpy(pages + 4 * page - size, text, size);
}

struct path choose_path(void) {
  char* text = fresh_buffer();
  struct path path = {text, ""};
  choose_text(text);
  show(&path);
  const unsigned kind = below(200);
  if (kind == 0) {
    const uintptr_t bad[] = {0, 1, UINTPTR_MAX, UINTPTR_MAX / 2 + 1};
    const uintptr_t value = bad[below(4)];
    path.text = (const char*)value;
    snprintf(path.shown, sizeof path.shown, "(bad %#zx)", (size_t)value);
  } else if (kind == 1) {
    path.text = at_page_end(text, 1);
  } else if (kind == 2) {
    path.text = at_page_end(text, 0);
    strcat(path.shown, "(unterminated)");
  }
  return path;
}

// Names right in /proc are left out: for those its answer depends on privileges that emulation does not have.
struct path choose_name(void) {
  struct path path = choose_path();
  for (;;) {
    const char* shown = path.shown + 1;
    unsigned slashes = 0;
    for (const char* at = shown; *at != '\0'; ++at) slashes += *at == '/' && at[1] != '/' && at[1] != '"';
    const int proc = strncmp(shown, "/proc/", 6) == 0 || strncmp(shown, "/dev/", 5) == 0;
    if (!proc || slashes > (strncmp(shown, "/proc/self/fd", 13) == 0 ? 4U : 3U)) return path;
    path = choose_path();
  }
}

struct path choose_target(void) {
  char* text = fresh_buffer();
  struct path path = {text, ""};
  choose_text(text);
  show(&path);
  return path;
}

int choose_dir(void) {
  const unsigned kind = below(100);
  if (kind < 50) return AT_FDCWD;
  if (kind < 97) return k_first_slot + (int)below(k_slots);
  const int bad[] = {-1, 99, INT_MAX};
  return bad[below(3)];
}

int choose_slot(void) { return percent(97) ? k_first_slot + (int)below(k_slots) : (percent(50) ? -1 : 99); }

mode_t choose_mode(int directory) {
  const mode_t modes[] = {0, 0400, 0644, 0755, 0700, 0111, 0777, 04755, 02775, 01777, 0660, 02644, 06711};
  mode_t mode = modes[below(sizeof modes / sizeof modes[0])];
  // Linux takes set-id bits off files that are written, but not if the writer is the host's root, whom emulation follows;
  // a namespace's root is not.
  if (!directory) mode &= 01777;
  if (ordinary_user || deep_run) mode = (mode & 01777) | (directory ? 0700 : 0600);
  return mode;
}

unsigned choose_flags(const unsigned* flags, unsigned count, unsigned chance) {
  unsigned all = 0;
  for (unsigned i = 0; i < count; ++i)
    if (percent(chance)) all |= flags[i];
  return all;
}

const char* dir_text(int fd) {
  static char texts[4][16];
  static unsigned next;
  char* text = texts[next++ % 4];
  if (fd == AT_FDCWD) return "CWD";
  if (fd >= k_first_slot && fd < k_first_slot + k_slots)
    sprintf(text, "s%d", fd - k_first_slot);
  else
    sprintf(text, "%d", fd);
  return text;
}
