// calls run SEED RANGES [user] [old-kernel] [TREE...]: makes the calls of these numbers ("0-99,120"), one line for each,
// and prints the trees.
// calls dump [linked] TREE...: prints trees that another run has left, in which it may have made hard links.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "calls.h"

static void make_call(void) {
  const unsigned kind = below(100);
  if (kind < 22) return open_call();
  if (kind < 42) return stat_call();
  if (kind < 68) return name_call();
  if (kind < 76) return inode_call();
  if (kind < 82) return xattr_call();
  if (kind < 89) return place_call();
  if (kind < 94) return socket_call();
  descriptor_call();
}

static void fill_slots(void) {
  static const char* const names[k_slots] = {"/w", "/vol", "/ro", "/w/a", "/w/f", "/bound", "/vol/in", "/w/l"};
  for (int i = 0; i < k_slots; ++i) {
    const int fd = open(names[i], i == k_slots - 1 ? O_PATH | O_NOFOLLOW : O_RDONLY);
    if (fd < 0) continue;
    dup2(fd, k_first_slot + i);
    close(fd);
  }
}

static int run(unsigned long long seed, const char* ranges) {
  if (chdir("/w") != 0) return 1;
  deep_run = seed % 4 == 0;
  linking_run = seed % 4 != 1;
  umask(022);
  fill_slots();
  while (*ranges != '\0') {
    char* end = NULL;
    unsigned long first = strtoul(ranges, &end, 10);
    const unsigned long last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
    for (; first <= last; ++first) {
      begin_choices(seed, (unsigned)first);
      say("%lu ", first);
      make_call();
    }
    ranges = *end == ',' ? end + 1 : end;
  }
  return 0;
}

int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IOLBF, 65536);
  int linked = 0;
  alarm(300);  // whatever might wait for ever
  for (int i = 2; i < argc; ++i) {
    ordinary_user |= strcmp(argv[i], "user") == 0;
    old_kernel |= strcmp(argv[i], "old-kernel") == 0;
    linked |= strcmp(argv[i], "linked") == 0;
  }
  const int runs = argc >= 4 && strcmp(argv[1], "run") == 0;
  if (runs && run(strtoull(argv[2], NULL, 10), argv[3]) != 0) return 1;
  if (!runs && (argc < 3 || strcmp(argv[1], "dump") != 0)) return 2;
  for (int i = runs ? 4 : 2; i < argc; ++i)
    if (argv[i][0] == '/') dump_tree(argv[i], linked);
  return 0;
}
