// Calls that open files.
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// A fifo would wait for the other end.
static unsigned open_flags(void) {
  static const unsigned rare[] = {O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, O_APPEND, O_CLOEXEC, O_NOATIME};
  static const unsigned access[] = {O_RDONLY, O_RDONLY, O_RDWR, O_WRONLY, O_ACCMODE};
  unsigned flags = O_NONBLOCK | access[below(COUNT(access))];
  const unsigned kind = below(100);
  if (kind < 25) flags |= O_CREAT;
  if (kind >= 25 && kind < 40) flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK;
  if (kind >= 40 && kind < 60) flags = O_PATH | (percent(50) ? O_NOFOLLOW : 0);
  if (kind >= 60 && kind < 65) flags = O_TMPFILE | (percent(80) ? O_RDWR : O_RDONLY);
  return flags | choose_flags(rare, COUNT(rare), 5);
}

static void plain_open(void) {
  const struct path path = choose_path();
  const unsigned flags = open_flags();
  const mode_t mode = choose_mode(0);
  say("open(%s, %#o, %#o)", path.shown, flags, mode);
  result_fd(DIRECT(SYS_open, path.text, flags, mode));
}

static void open_at(void) {
  const int dir = choose_dir();
  const struct path path = choose_path();
  const unsigned flags = open_flags();
  const mode_t mode = choose_mode(0);
  say("openat(%s, %s, %#o, %#o)", dir_text(dir), path.shown, flags, mode);
  result_fd(DIRECT(SYS_openat, dir, path.text, flags, mode));
}

static void open_at2(void) {
  static const unsigned resolve[] = {RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH,
                                     RESOLVE_IN_ROOT};
  const int dir = choose_dir();
  const struct path path = choose_path();
  struct {
    struct open_how how;
    unsigned long more;
  } given;
  memset(&given, 0, sizeof given);
  struct open_how* how = &given.how;
  how->flags = open_flags();
  if ((how->flags & O_CREAT) != 0 || (how->flags & O_TMPFILE) == O_TMPFILE || percent(2)) how->mode = choose_mode(0);
  how->resolve = choose_flags(resolve, COUNT(resolve), 20);
  if (percent(2)) how->resolve |= 0x100;
  size_t size = sizeof *how;
  if (percent(3)) size = 8 * below(5);
  if (percent(2)) given.more = below(2), size = sizeof given;
  say("openat2(%s, %s, %#llo, %#llo, resolve %#llx, %zu)", dir_text(dir), path.shown, how->flags, how->mode,
      how->resolve, size);
  result_fd(syscall(SYS_openat2, dir, path.text, percent(1) ? NULL : &given, size));
}

static void create(void) {
  const struct path path = choose_path();
  const mode_t mode = choose_mode(0);
  say("creat(%s, %#o)", path.shown, mode);
  if (is_fifo_at(AT_FDCWD, path.text))
    say(" left out: a fifo\n");
  else
    result_fd(syscall(SYS_creat, path.text, mode));
}

void open_call(void) {
  const unsigned kind = below(10);
  if (kind < 2) return plain_open();
  if (kind < 5) return open_at();
  if (kind < 9) return open_at2();
  create();
}
