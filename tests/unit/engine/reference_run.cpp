#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

// What the engine is compared with: the same program in a real root directory, by user and mount namespaces.
//   reference_run [-v HOST:GUEST]... ROOT PROGRAM [ARGUMENT...]
namespace {

bool write_text(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  const bool good = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return good;
}

int failed(const char* what) {
  std::perror(what);
  return 125;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string uid = std::to_string(::getuid());
  const std::string gid = std::to_string(::getgid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return failed("unshare");
  if (!write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/uid_map", "0 " + uid + " 1") ||
      !write_text("/proc/self/gid_map", "0 " + gid + " 1"))
    return failed("id maps");
  int i = 1;
  for (; i + 1 < argc && std::strcmp(argv[i], "-v") == 0; i += 2) {
  }
  if (i + 1 >= argc) return 2;
  const std::string root = argv[i];
  for (int v = 2; v < i; v += 2) {
    const std::string bind = argv[v];
    const std::size_t colon = bind.find(':');
    const std::string guest = root + bind.substr(colon + 1);
    if (::mount(bind.substr(0, colon).c_str(), guest.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
      return failed(guest.c_str());
  }
  if (::chroot(root.c_str()) != 0 || ::chdir("/") != 0) return failed("chroot");
  ::execv(argv[i + 1], argv + i + 1);
  return failed(argv[i + 1]);
}
