#include <fcntl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "engine/ptrace/exec_plan.hpp"

// execve(2) and execveat(2): the guest execs the loader; what the loader shall map is planned before.
namespace udk::engine {
namespace {

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000  // Linux 6.14
#endif

// How many words a guest may pass (Linux: MAX_ARG_STRINGS is larger than any memory).
constexpr std::size_t k_words_max = std::size_t{1} << 24;

// Finds the file: run.at, and run.text as the name that the program shall see.
int locate_program(CallStop& stop) {
  Run& run = stop.run;
  if (const int e = fetch_path(stop, stop.call.path, run.text); e != 0) return e;
  const unsigned flags = stop.flags();
  if ((flags & ~static_cast<unsigned>(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_EXECVE_CHECK)) != 0) return -EINVAL;
  const int dir = stop.dir_arg(stop.call.dir);
  if (run.text.empty() && (flags & AT_EMPTY_PATH) != 0) {
    const PathText proc = proc_path(stop.task.tid, dir);
    run.at.host.assign(proc.view());
    run.at.guest.clear();
    run.at.mount = 0;
    run.at.kernel_link = true;
    run.at.nameless = run.at.trailing_slash = false;
    run.text.assign("/dev/fd/");
    run.text.append(std::to_string(dir));
    return 0;
  }
  if (const int e = run.lookup.path(stop.task, dir, run.text.view(), final_of(stop), 0, run.at); e != 0) return e;
  if ((flags & AT_SYMLINK_NOFOLLOW) != 0) {
    xlate::Link link;
    if (run.lookup.read_link(run.at.host.view(), run.at.guest.view(), link) == 0) return -ELOOP;
  }
  if (dir != AT_FDCWD && run.text.view().front() != '/') {  // as Linux names it
    const std::string name = "/dev/fd/" + std::to_string(dir) + "/" + std::string(run.text.view());
    run.text.assign(name);
  }
  return 0;
}

// Pointers as the guest's programs have them.
class WordList {
 public:
  explicit WordList(Abi abi) : each_(xlate::word_size(abi)) {}
  void add(Word value) { bytes_.append(reinterpret_cast<const char*>(&value), each_); }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::size_t each_;
  std::string bytes_;
};

// Appends the guest's own words from its second one on, a page at a time.
int add_own_words(CallStop& stop, Word argv, WordList& words) {
  constexpr Word k_page = 4096;
  const std::size_t each = xlate::word_size(stop.abi);
  std::array<char, k_page> page{};
  bool first = true;
  for (std::size_t count = 0; argv != 0;) {
    const std::size_t size = std::max<std::size_t>((k_page - argv % k_page) / each * each, each);
    if (const int e = read_memory(stop.task.tid, argv, page.data(), size); e != 0) return e;
    for (std::size_t at = 0; at < size; at += each) {
      Word word = 0;
      std::memcpy(&word, page.data() + at, each);
      if (word == 0) return 0;
      if (++count > k_words_max) return -E2BIG;
      if (!first) words.add(word);
      first = false;
    }
    argv += size;
  }
  return 0;
}

// Memory for an argument list: behind the texts if it fits the thread's slot, else in slots side by side, else below
// the stack, where only what the stack has grown to already can be written.
Word put_words(CallStop& stop, const std::string& bytes, std::size_t after) {
  if (after + bytes.size() > k_slot_size) {
    const Word place = scratch_run(stop.task, bytes.size());
    if (place != 0 && can_point_to(stop, place) && write_memory(stop.task.tid, place, bytes.data(), bytes.size()) == 0)
      return place;
    release_run(stop.task);
  }
  return put_scratch(stop, bytes.data(), bytes.size(), after);
}

// AT_EXECVE_CHECK: only whether the file may be executed. The kernel says so of the host path, and EINVAL if it is too
// old to know the question.
Next check_program(CallStop& stop) {
  char* const none[] = {nullptr};
  const long r = ::syscall(SYS_execveat, AT_FDCWD, stop.run.at.host.c_str(), none, none, AT_EXECVE_CHECK);
  return answer(stop, r == 0 ? 0 : -errno);
}

// A new argument list in the guest's memory: the plan's words, then the guest's own from its second one on.
int put_arguments(CallStop& stop, const ExecPlan& plan, Word argv, Word& out) {
  WordList words(stop.abi);
  std::string texts;
  std::vector<std::size_t> offsets;
  for (const std::string& word : plan.front) {
    offsets.push_back(texts.size());
    texts += word;
    texts += '\0';
  }
  const Word texts_at = put_scratch(stop, texts.data(), texts.size(), xlate::k_path_max);
  if (texts_at == 0) return -EFAULT;
  for (const std::size_t offset : offsets) words.add(texts_at + offset);
  if (const int e = add_own_words(stop, argv, words); e != 0) return e;
  words.add(0);
  const std::size_t after = (xlate::k_path_max + texts.size() + 15) & ~std::size_t{15};
  out = put_words(stop, words.bytes(), after);
  return out == 0 ? -EFAULT : 0;
}

// The loader's path, made at least as long as the program's own name, which later takes its place in memory.
std::string loader_path(const ExecPlan& plan) {
  std::string path = plan.loader->path();
  if (path.size() < plan.exec_name.size()) path.insert(0, plan.exec_name.size() - path.size(), '/');
  return path;
}

}  // namespace

Next on_exec_call(CallStop& stop) {
  Run& run = stop.run;
  if (const int e = locate_program(stop); e != 0) return answer(stop, e);
  if ((stop.flags() & AT_EXECVE_CHECK) != 0) return check_program(stop);
  auto plan = std::make_shared<ExecPlan>();
  const std::string name(run.text.view());
  if (const int e = make_exec_plan(stop, run.at, name, *plan); e != 0) {
    run.exec_problem = std::move(plan->problem);
    return answer(stop, e);
  }
  constexpr Word k_execve_i386 = 11;
  const bool at_form = stop.call.dir >= 0;
  Word argv = stop.arg(at_form ? 2 : 1);
  const Word envp = stop.arg(at_form ? 3 : 2);
  stop.task.at_entry = stop.regs;
  if (!plan->front.empty())
    if (const int e = put_arguments(stop, *plan, argv, argv); e != 0) return answer(stop, e);
  const std::string path = loader_path(*plan);
  const Word place = put_scratch(stop, path.c_str(), path.size() + 1);
  if (place == 0) {
    release_run(stop.task);
    return answer(stop, -EFAULT);
  }
  stop.regs.orig_rax = stop.abi == Abi::x86_64 ? SYS_execve : k_execve_i386;
  stop.regs.rax = stop.regs.orig_rax;
  stop.set_arg(0, place);
  stop.set_arg(1, argv);
  stop.set_arg(2, envp);
  stop.task.at_exit = AtExit::exec;
  stop.task.plan = std::move(plan);
  return Next::watch;
}

}  // namespace udk::engine
