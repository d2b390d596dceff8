// Calls that make, move and remove names.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"

static void make_dir(void) {
  const int dir = choose_dir();
  const struct path path = choose_name();
  const mode_t mode = choose_mode(1);
  if (percent(50)) {
    say("mkdir(%s, %#o)", path.shown, mode);
    return result_ok(syscall(SYS_mkdir, path.text, mode));
  }
  say("mkdirat(%s, %s, %#o)", dir_text(dir), path.shown, mode);
  result_ok(syscall(SYS_mkdirat, dir, path.text, mode));
}

static void make_node(void) {
  static const mode_t types[] = {S_IFREG, S_IFIFO, S_IFSOCK, 0, S_IFDIR, S_IFLNK};
  const int dir = choose_dir();
  const struct path path = choose_name();
  const mode_t mode = types[percent(90) ? below(4) : below(6)] | choose_mode(0);
  if (percent(50)) {
    say("mknod(%s, %#o)", path.shown, mode);
    return result_ok(syscall(SYS_mknod, path.text, mode, 0));
  }
  say("mknodat(%s, %s, %#o)", dir_text(dir), path.shown, mode);
  result_ok(syscall(SYS_mknodat, dir, path.text, mode, 0));
}

static void make_symlink(void) {
  const int dir = choose_dir();
  const struct path target = percent(97) ? choose_target() : choose_path();
  const struct path path = choose_name();
  if (percent(50)) {
    say("symlink(%s, %s)", target.shown, path.shown);
    return result_ok(syscall(SYS_symlink, target.text, path.text));
  }
  say("symlinkat(%s, %s, %s)", target.shown, dir_text(dir), path.shown);
  result_ok(syscall(SYS_symlinkat, target.text, dir, path.text));
}

static void make_link(void) {
  const int from_dir = choose_dir();
  struct path from = choose_name();
  const int to_dir = choose_dir();
  const struct path to = choose_name();
  unsigned flags = 0;
  if (percent(50)) {
    say("link(%s, %s)", from.shown, to.shown);
    return result_ok(syscall(SYS_link, from.text, to.text));
  }
  if (percent(40)) flags |= AT_SYMLINK_FOLLOW;
  if (percent(20) && !old_kernel) flags |= AT_EMPTY_PATH;
  if (percent(2)) flags |= 0x20;
  if ((flags & AT_EMPTY_PATH) != 0 && percent(60)) from = (struct path){"", "\"\""};
  say("linkat(%s, %s, %s, %s, %#x)", dir_text(from_dir), from.shown, dir_text(to_dir), to.shown, flags);
  result_ok(syscall(SYS_linkat, from_dir, from.text, to_dir, to.text, flags));
}

static void rename_it(void) {
  const int from_dir = choose_dir();
  const struct path from = choose_name();
  const int to_dir = choose_dir();
  const struct path to = choose_name();
  const unsigned flags = percent(60) ? 0 : below(4) + (percent(3) ? 8 : 0);
  switch (below(3)) {
    case 0:
      say("rename(%s, %s)", from.shown, to.shown);
      return result_ok(syscall(SYS_rename, from.text, to.text));
    case 1:
      say("renameat(%s, %s, %s, %s)", dir_text(from_dir), from.shown, dir_text(to_dir), to.shown);
      return result_ok(syscall(SYS_renameat, from_dir, from.text, to_dir, to.text));
    default:
      say("renameat2(%s, %s, %s, %s, %u)", dir_text(from_dir), from.shown, dir_text(to_dir), to.shown, flags);
      return result_ok(syscall(SYS_renameat2, from_dir, from.text, to_dir, to.text, flags));
  }
}

static void remove_it(void) {
  const int dir = choose_dir();
  const struct path path = choose_name();
  const unsigned flags = (percent(40) ? AT_REMOVEDIR : 0) | (percent(2) ? 0x100 : 0);
  switch (below(4)) {
    case 0:
      say("unlink(%s)", path.shown);
      return result_ok(syscall(SYS_unlink, path.text));
    case 1:
      say("rmdir(%s)", path.shown);
      return result_ok(syscall(SYS_rmdir, path.text));
    default:
      say("unlinkat(%s, %s, %#x)", dir_text(dir), path.shown, flags);
      return result_ok(syscall(SYS_unlinkat, dir, path.text, flags));
  }
}

void name_call(void) {
  const unsigned kind = below(100);
  if (kind < 18) return make_dir();
  if (kind < 28) return make_node();
  if (kind < 48) return make_symlink();
  if (kind < 62) return linking_run ? make_link() : make_symlink();
  if (kind < 82) return rename_it();
  remove_it();
}
