#include "unit/store/kill_at.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>

namespace udk::store::test {
namespace {

bool changes_the_disk(const __ptrace_syscall_info& info) {
  static const std::set<std::uint64_t> calls = {
      SYS_write,  SYS_renameat, SYS_renameat2, SYS_unlinkat,  SYS_symlinkat, SYS_linkat, SYS_mkdirat, SYS_ftruncate,
      SYS_flock,  SYS_fchmod,   SYS_utimensat, SYS_fdatasync, SYS_fsync,     SYS_close,
#ifdef SYS_unlink
      SYS_unlink, SYS_rename,   SYS_symlink,   SYS_mkdir,     SYS_rmdir,     SYS_chmod,  SYS_link
#endif
  };
  if (calls.contains(info.entry.nr)) return true;
  return info.entry.nr == SYS_openat && (info.entry.args[2] & O_CREAT) != 0;
}

int exit_status(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 255;
  return WEXITSTATUS(status);
}

}  // namespace

bool killed_at(int step, const std::function<void()>& work) {
  pid_t child = ::fork();
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  for (int seen = 0;;) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    if (::waitpid(child, &status, 0) != child || WIFEXITED(status) || WIFSIGNALED(status)) return false;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
    __ptrace_syscall_info info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !changes_the_disk(info) || ++seen < step) continue;
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return true;
  }
}

int in_child(const std::function<int()>& work) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  return exit_status(child);
}

int as_ordinary_user(const std::function<int()>& work) {
  return in_child([&] {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 254;
    return work();
  });
}

int without_flock(int error, const std::function<int()>& work) {
  return in_child([&] {
    auto refuse = SECCOMP_RET_ERRNO | (static_cast<unsigned>(error) & SECCOMP_RET_DATA);
    std::array<sock_filter, 4> code = {{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                                        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_flock},
                                        {BPF_RET | BPF_K, 0, 0, refuse},
                                        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
    sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
      return 254;
    return work();
  });
}

}  // namespace udk::store::test
