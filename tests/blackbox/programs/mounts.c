// What only the administrator of a machine may do: every way is refused, and none ends the program.
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include "report.h"

enum { k_statmount = 457, k_listmount, k_open_tree_attr = 467, k_listns = 470 };

static void namespaces(void) {
  static const unsigned long long all[] = {
      CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
      CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID};
  for (unsigned i = 0; i < sizeof all / sizeof *all; ++i) {
    struct clone_args args = {.flags = all[i], .exit_signal = SIGCHLD};
    REPORT(syscall(SYS_clone3, &args, sizeof args));
    REPORT(syscall(SYS_clone, (long)all[i] | SIGCHLD, 0, 0, 0, 0));
    REPORT(unshare((int)all[i]));
  }
  struct clone_args args = {.flags = CLONE_NEWTIME, .exit_signal = SIGCHLD};
  REPORT(syscall(SYS_clone3, &args, sizeof args));
  REPORT(unshare(CLONE_NEWTIME));
}

int main(void) {
  char buffer[256] = "";
  REPORT(mount("none", "/tmp", "tmpfs", 0, NULL));
  REPORT(mount("/", "/tmp", NULL, MS_BIND, NULL));
  REPORT(umount2("/proc", MNT_DETACH));
  REPORT(syscall(SYS_pivot_root, "/", "/tmp"));
  REPORT(syscall(SYS_open_tree, AT_FDCWD, "/", 0));
  REPORT(syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE));
  REPORT(syscall(SYS_move_mount, AT_FDCWD, "/", AT_FDCWD, "/tmp", 0));
  REPORT(syscall(SYS_fsopen, "tmpfs", 0));
  REPORT(syscall(SYS_fsconfig, 0, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
  REPORT(syscall(SYS_fsmount, 0, 0, 0));
  REPORT(syscall(SYS_fspick, AT_FDCWD, "/", 0));
  REPORT(syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, buffer, sizeof buffer));
  REPORT(syscall(k_open_tree_attr, AT_FDCWD, "/", 0, buffer, sizeof buffer));
  REPORT(syscall(k_statmount, buffer, buffer, sizeof buffer, 0));
  REPORT(syscall(k_listmount, buffer, buffer, sizeof buffer, 0));
  REPORT(syscall(k_listns, buffer, buffer, sizeof buffer, 0));
  REPORT(syscall(SYS_quotactl, 0, "/", 0, NULL));
  REPORT(syscall(SYS_setns, 0, 0));
  REPORT(syscall(SYS_open_by_handle_at, AT_FDCWD, buffer, O_RDONLY));
  REPORT(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
  REPORT(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
  namespaces();
  return 0;
}
