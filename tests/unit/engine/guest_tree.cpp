#include "unit/engine/guest_tree.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace udk::engine::test {
namespace {

namespace fs = std::filesystem;

constexpr uid_t k_nobody = 65534;
constexpr int k_limit_ms = 120000;

void put_copy(const fs::path& from, const fs::path& to) {
  fs::create_directories(to.parent_path());
  fs::copy_file(from, to, fs::copy_options::overwrite_existing);
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

std::string collect(int fd, pid_t pid) {
  std::string text;
  std::array<char, 4096> block{};
  pollfd ready{fd, POLLIN, 0};
  while (::poll(&ready, 1, k_limit_ms) > 0) {
    const ssize_t n = ::read(fd, block.data(), block.size());
    if (n <= 0) return text;
    text.append(block.data(), static_cast<std::size_t>(n));
  }
  ::kill(pid, SIGKILL);
  return text + "\n(killed: it did not end)";
}

}  // namespace

void become_user() {
  if (::geteuid() != 0) return;
  if (::setgroups(0, nullptr) != 0 || ::setgid(k_nobody) != 0 || ::setuid(k_nobody) != 0) ::_exit(125);
  ::prctl(PR_SET_DUMPABLE, 1);  // lost with the ids, and needed to be traced without an exec between
}

bool runs_i386() { return run_as_user({"/lib/ld-linux.so.2", "--version"}).status == 0; }

std::string ordinary_user() {
  const bool root = ::geteuid() == 0;
  return std::to_string(root ? k_nobody : ::geteuid()) + ":" + std::to_string(root ? k_nobody : ::getegid());
}

std::string engine_run() { return UDK_ENGINE_RUN; }

Outcome run_as_user(const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  const Fd in(ends[0]);
  Fd out(ends[1]);
  const std::vector<char*> argv = pointers(words);
  const pid_t pid = ::fork();
  if (pid == 0) {
    become_user();
    ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    ::dup2(out.get(), 1);
    ::dup2(out.get(), 2);
    ::execv(argv[0], argv.data());
    ::_exit(124);
  }
  out.reset();
  Outcome outcome;
  outcome.out = collect(in.get(), pid);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  outcome.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return outcome;
}

GuestTree::GuestTree() {
  const fs::path root = dir_ / "root";
  for (const char* name : {"bin", "etc", "tmp", "proc", "dev", "data", "readonly"}) fs::create_directories(root / name);
  fs::permissions(dir_.path(), fs::perms(0755));
  put_copy("/bin/busybox", root / "bin/busybox");
  for (const char* name : {"sh", "true", "ls", "cat", "id", "echo", "sleep", "kill", "find", "pwd", "stat", "readlink"})
    fs::create_symlink("busybox", root / "bin" / name);
  for (const char* library : {"libc.so.6", "libgcc_s.so.1"})
    put_copy(fs::path("/lib/x86_64-linux-gnu") / library, root / "lib/x86_64-linux-gnu" / library);
  put_copy("/lib64/ld-linux-x86-64.so.2", root / "lib64/ld-linux-x86-64.so.2");
  put_copy("/lib/ld-linux.so.2", root / "lib/ld-linux.so.2");
  put_copy("/lib32/libc.so.6", root / "lib32/libc.so.6");
  put_copy("/usr/lib32/libgcc_s.so.1", root / "lib32/libgcc_s.so.1");
  fs::copy(UDK_GUEST_DIR, root, fs::copy_options::recursive);
  for (const auto& entry : fs::directory_iterator(root / "dynamic"))
    put_copy(entry.path(), root / "bin" / entry.path().filename());
  std::ofstream(root / "etc/passwd") << "root:x:0:0:root:/:/bin/sh\n";
  std::ofstream(root / "etc/bound") << "hidden\n";
  fs::create_directories(host("data"));
  fs::create_directories(host("readonly/dir"));
  fs::create_directories(host("mount"));
  std::ofstream(host("readonly/file")) << "content\n";
  std::ofstream(host("bound")) << "bound\n";
  own();
}

void GuestTree::own() const {
  if (::geteuid() != 0) return;
  ::lchown(dir_.path().c_str(), k_nobody, k_nobody);
  for (const auto& entry : fs::recursive_directory_iterator(dir_.path()))
    ::lchown(entry.path().c_str(), k_nobody, k_nobody);
}

void GuestTree::put(const std::string& path, const std::string& content, unsigned mode) const {
  const std::string name = root() + path;
  std::ofstream(name) << content;
  fs::permissions(name, fs::perms(mode));
  own();
}

std::vector<std::string> GuestTree::binds() const {
  return {"-v", host("data") + ":/data",
          "-v", host("readonly") + ":/readonly:ro",
          "-v", host("bound") + ":/etc/bound",
          "-v", host("mount") + ":/virtual/deep/mount",
          "-v", "/proc:/proc",
          "-v", "/dev:/dev"};
}

Outcome GuestTree::run(const std::vector<std::string>& options, const std::vector<std::string>& words) const {
  std::vector<std::string> all = {engine_run()};
  all.insert(all.end(), options.begin(), options.end());
  all.push_back(root());
  all.insert(all.end(), words.begin(), words.end());
  return run_as_user(all);
}

}  // namespace udk::engine::test
