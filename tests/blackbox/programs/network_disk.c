// Runs a command as if all its files were on NFS, Lustre or FUSE: these calls fail with the errors that such file systems
// give, for the command and all that it starts.
//
//   network_disk ERROR-OF-FLOCK ERROR-OF-LINK COMMAND [ARGUMENT...]    the errors are numbers, 0 lets the calls work
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSE(error) {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (error)}
#define LOAD(field) {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, field)}
// Each of these is a whole decision: it ends in a refusal, or the call's number is what the next one finds.
#define REFUSE_CALL(number, error) {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number}, REFUSE(error)
#define REFUSE_WHERE(number, argument, test, value, error)                                                        \
  {BPF_JMP | BPF_JEQ | BPF_K, 0, 4, number}, LOAD(args[argument]), {BPF_JMP | test | BPF_K, 0, 1, value}, REFUSE(error), \
      LOAD(nr)

enum { ONLY_TMPFILE = O_TMPFILE & ~O_DIRECTORY, EVERY_FLAG = -1 };

int main(int count, char** words) {
  if (count < 4) return 99;
  const unsigned flock_error = strtoul(words[1], 0, 10), link_error = strtoul(words[2], 0, 10);
  struct sock_filter code[] = {
      LOAD(arch),
      {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
      LOAD(nr),
      REFUSE_CALL(flock_error ? SYS_flock : EVERY_FLAG, flock_error),
      REFUSE_CALL(link_error ? SYS_link : EVERY_FLAG, link_error),
      REFUSE_CALL(link_error ? SYS_linkat : EVERY_FLAG, link_error),
      REFUSE_WHERE(SYS_open, 1, BPF_JSET, ONLY_TMPFILE, EOPNOTSUPP),
      REFUSE_WHERE(SYS_openat, 2, BPF_JSET, ONLY_TMPFILE, EOPNOTSUPP),
      REFUSE_WHERE(SYS_renameat2, 4, BPF_JSET, EVERY_FLAG, EINVAL),
      REFUSE_WHERE(SYS_ioctl, 1, BPF_JEQ, FICLONE, EOPNOTSUPP),
      REFUSE_WHERE(SYS_ioctl, 1, BPF_JEQ, FICLONERANGE, EOPNOTSUPP),
      REFUSE_CALL(SYS_fallocate, EOPNOTSUPP),
      REFUSE_CALL(SYS_copy_file_range, EOPNOTSUPP),
      REFUSE_CALL(SYS_setxattr, EOPNOTSUPP),
      REFUSE_CALL(SYS_lsetxattr, EOPNOTSUPP),
      REFUSE_CALL(SYS_fsetxattr, EOPNOTSUPP),
      REFUSE_CALL(SYS_getxattr, EOPNOTSUPP),
      REFUSE_CALL(SYS_lgetxattr, EOPNOTSUPP),
      REFUSE_CALL(SYS_fgetxattr, EOPNOTSUPP),
      REFUSE_CALL(SYS_listxattr, EOPNOTSUPP),
      REFUSE_CALL(SYS_llistxattr, EOPNOTSUPP),
      REFUSE_CALL(SYS_flistxattr, EOPNOTSUPP),
      REFUSE_CALL(SYS_removexattr, EOPNOTSUPP),
      REFUSE_CALL(SYS_lremovexattr, EOPNOTSUPP),
      REFUSE_CALL(SYS_fremovexattr, EOPNOTSUPP),
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) return 99;
  execv(words[3], words + 3);
  return 99;
}
