#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "engine/ptrace/fast_sites.hpp"
#include "engine/ptrace/memory.hpp"
#include "engine/ptrace/task.hpp"
#include "guest/runtime_image.hpp"

// A thread is taken out of the runtime at each of its instructions, as when a signal comes: it must find itself at its
// own place with its own registers, before the call or behind it, and nothing may be lost or done twice.
namespace udk::engine::test {
namespace {

constexpr std::uint64_t k_base = loader_base(Abi::x86_64, 0);
constexpr Word k_site = 0x10000;  // no code: the thread stops there
constexpr std::uint64_t k_mark = 0x1234567890abcdef;

// What the thread works with, shared with the test.
struct Shared {
  guest::View view;
  char path[64];
  struct stat answer;
  char text[256];
};

class Thread {
 public:
  explicit Thread(Shared* shared) : pid_(::fork()) {
    if (pid_ == 0) begin(shared);
    int status = 0;
    EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
    EXPECT_TRUE(WIFSTOPPED(status));
    task_.tid = task_.tgid = pid_;
    task_.memory = std::make_shared<AddressSpace>();
    task_.memory->loader = k_base;
    task_.memory->fast.ready = true;
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] Registers registers() const {
    Registers regs{};
    EXPECT_EQ(::ptrace(PTRACE_GETREGS, pid_, nullptr, &regs), 0);
    return regs;
  }
  void set(const Registers& regs) { EXPECT_EQ(::ptrace(PTRACE_SETREGS, pid_, nullptr, &regs), 0); }
  void step() {
    int status = 0;
    ASSERT_EQ(::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr), 0);
    ASSERT_EQ(::waitpid(pid_, &status, 0), pid_);
    ASSERT_TRUE(WIFSTOPPED(status)) << status;
  }
  Task& task() { return task_; }
  [[nodiscard]] std::array<std::uint16_t, guest::k_slot_number> busy() const {
    std::array<std::uint16_t, guest::k_slot_number> out{};
    EXPECT_EQ(read_object(pid_, k_base + guest::k_data_at, out), 0);
    return out;
  }
  void set_busy(const std::array<std::uint16_t, guest::k_slot_number>& busy) {
    EXPECT_EQ(write_object(pid_, k_base + guest::k_data_at, busy), 0);
  }
  // How many descriptors it has.
  [[nodiscard]] int open_files() const {
    int count = 0;
    for (int fd = 0; fd < 64; ++fd) {
      struct stat st {};
      const std::string link = "/proc/" + std::to_string(pid_) + "/fd/" + std::to_string(fd);
      count += ::lstat(link.c_str(), &st) == 0 ? 1 : 0;
    }
    return count;
  }

 private:
  [[noreturn]] static void begin(Shared* shared) {
    auto image = LoaderImage::create(Abi::x86_64, k_base);
    const int fd = ::open(image ? image->path().c_str() : "", O_RDONLY);
    void* const at = reinterpret_cast<void*>(k_base);  // NOLINT(performance-no-int-to-ptr)
    const std::size_t code = guest::k_data_at, memory = guest::k_scratch_at - guest::k_data_at;
    if (::mmap(at, code, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) != at) ::_exit(1);
    auto* const data = static_cast<char*>(at) + code;
    if (::mmap(data, memory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0) != data)
      ::_exit(1);
    auto& own = *reinterpret_cast<guest::Data*>(data);
    own.busy_address = reinterpret_cast<std::uint64_t>(own.busy);
    own.slots = k_base + guest::k_slots_at;
    own.allowed = 1;
    own.view = reinterpret_cast<std::uint64_t>(&shared->view);
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
    ::raise(SIGSTOP);
    ::_exit(1);
  }

  pid_t pid_;
  Task task_;
};

struct Call {
  const char* name;
  Word number;
  std::array<Word, 4> args;  // 1: the path, 2: the buffer
  bool opens = false;
};

constexpr Word k_path = 1, k_buffer = 2, k_here = static_cast<Word>(AT_FDCWD);
const Call k_calls[] = {
    {"stat", SYS_stat, {k_path, k_buffer, 0, 0}},
    {"newfstatat", SYS_newfstatat, {k_here, k_path, k_buffer, 0}},
    {"statx", SYS_statx, {k_here, k_path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS}},
    {"access", SYS_access, {k_path, R_OK, 0, 0}},
    {"readlink", SYS_readlink, {k_path, k_buffer, 64, 0}},
    {"open", SYS_open, {k_path, O_RDONLY, 0, 0}, true},
    {"openat", SYS_openat, {k_here, k_path, O_RDONLY | O_CLOEXEC, 0}, true},
    {"mkdir", SYS_mkdir, {k_path, 0700, 0, 0}},  // not one of the runtime's
};

class FastStates : public ::testing::TestWithParam<Call> {
 protected:
  FastStates() {
    shared = static_cast<Shared*>(
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    std::strcpy(shared->path, "file");
    ::mkdtemp(folder.data());
    EXPECT_EQ(::chdir(folder.data()), 0);
    EXPECT_EQ(::close(::open("file", O_CREAT | O_WRONLY, 0600)), 0);
  }
  ~FastStates() override {
    ::unlink("file");
    EXPECT_EQ(::chdir("/"), 0);
    ::rmdir(folder.data());
    ::munmap(shared, sizeof *shared);
  }

  // Registers as a trampoline has them when it jumps.
  Registers begin_of(const Call& call, Registers regs) const {
    const auto value = [&](Word word) {
      if (word == k_path) return reinterpret_cast<Word>(shared->path);
      return word == k_buffer ? reinterpret_cast<Word>(&shared->answer) : word;
    };
    regs.rax = call.number;
    regs.rdi = value(call.args[0]);
    regs.rsi = value(call.args[1]);
    regs.rdx = value(call.args[2]);
    regs.r10 = value(call.args[3]);
    regs.r8 = reinterpret_cast<Word>(&shared->answer);
    for (unsigned long long* saved : {&regs.r9, &regs.rbx, &regs.rbp, &regs.r12, &regs.r13, &regs.r14, &regs.r15})
      *saved = k_mark + static_cast<Word>(saved - &regs.r15);
    regs.rcx = k_site;
    regs.rip = k_base + guest::k_runtime_at + guest::runtime_header().entry;
    regs.orig_rax = ~Word{0};
    return regs;
  }

  static void expect_own(const Registers& regs, const Registers& own) {
    for (const auto kept : {&Registers::rsp, &Registers::rdi, &Registers::rsi, &Registers::rdx, &Registers::r10,
                            &Registers::r8, &Registers::r9, &Registers::rbx, &Registers::rbp, &Registers::r12,
                            &Registers::r13, &Registers::r14, &Registers::r15})
      EXPECT_EQ(regs.*kept, own.*kept);
  }

  Shared* shared = nullptr;
  std::array<char, 32> folder{"/tmp/fast-states-XXXXXX"};
};

TEST_P(FastStates, EveryInstructionCanBeLeft) {
  const Call& call = GetParam();
  Thread thread(shared);
  const Registers own = begin_of(call, thread.registers());
  const int files = thread.open_files();
  const std::array<std::uint16_t, guest::k_slot_number> free{};
  thread.set(own);
  unsigned steps = 0;
  for (; steps < 20000; ++steps) {
    const Registers there = thread.registers();
    if (there.rip < k_base || there.rip >= k_base + guest::k_data_at) break;
    SCOPED_TRACE(there.rip - k_base - guest::k_runtime_at);
    const auto busy = thread.busy();
    Registers left = there;
    ASSERT_TRUE(leave_runtime(thread.task(), left));
    expect_own(left, own);
    EXPECT_EQ(thread.busy(), free) << "the slot is given back";
    if (left.rip == k_site) {
      EXPECT_EQ(left.rax, call.number);
      EXPECT_EQ(thread.open_files(), files) << "what is opened is not opened again";
    } else {
      EXPECT_EQ(left.rip, k_site + 2);
      EXPECT_TRUE(!call.opens || left.rax < 64U);
      EXPECT_EQ(call.opens, thread.open_files() > files);
    }
    if (HasFailure()) return;
    thread.set_busy(busy);
    thread.step();
  }
  const Registers end = thread.registers();
  expect_own(end, own);
  EXPECT_EQ(thread.busy(), free);
  EXPECT_GT(steps, 30U);
  const bool served = call.number != SYS_mkdir;
  EXPECT_EQ(end.rip, k_site + (served ? 2 : 0)) << steps;
}

INSTANTIATE_TEST_SUITE_P(Calls, FastStates, ::testing::ValuesIn(k_calls),
                         [](const auto& which) { return std::string(which.param.name); });

}  // namespace
}  // namespace udk::engine::test
