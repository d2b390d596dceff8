#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

#include "engine/ptrace/exec_plan.hpp"

// execve(2) and execveat(2): the guest execs the loader; what the loader shall map is planned before.
namespace udk::engine {
namespace {

// Length of the `syscall` instruction.
constexpr Word k_call_size = 2;

// Finds the file: run.at, and run.text as the name that the program shall see.
int locate_program(CallStop& stop) {
  Run& run = stop.run;
  if (const int e = fetch_path(stop, stop.call.path, run.text); e != 0) return e;
  const unsigned flags = stop.flags();
  if ((flags & ~static_cast<unsigned>(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return -EINVAL;
  const int dir = stop.dir_arg(stop.call.dir);
  if (run.text.empty() && (flags & AT_EMPTY_PATH) != 0) {
    const PathText proc = proc_path(stop.task.tid, dir);
    run.at.host.assign(proc.view());
    run.at.guest.clear();
    run.at.mount = 0;
    run.at.kernel_link = true;
    run.at.opaque = run.at.trailing_slash = false;
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

// A new argument list: the plan's words, then the guest's own from its second one on.
struct Arguments {
  std::string texts;  // of the plan's words
  std::vector<std::size_t> offsets;
  std::vector<Word> words;  // the guest's own and the null pointer

  [[nodiscard]] std::size_t texts_size() const { return (texts.size() + 15) & ~std::size_t{15}; }
  [[nodiscard]] std::size_t size() const { return texts_size() + (offsets.size() + words.size()) * sizeof(Word); }
  [[nodiscard]] bool fits_slot() const { return xlate::k_path_max + size() <= k_slot_size; }
  // What is written at `place`; the list itself is behind the texts.
  [[nodiscard]] std::string block(Word place) const {
    std::string out = texts;
    out.resize(texts_size());
    const auto append = [&](Word word) { out.append(reinterpret_cast<const char*>(&word), sizeof word); };
    for (const std::size_t offset : offsets) append(place + offset);
    for (const Word word : words) append(word);
    return out;
  }
};

int read_arguments(CallStop& stop, const ExecPlan& plan, Word argv, Arguments& out) {
  for (const std::string& word : plan.front) {
    out.offsets.push_back(out.texts.size());
    out.texts += word;
    out.texts += '\0';
  }
  if (argv != 0)
    if (const int e = read_pointers(stop.task.tid, argv, k_words_max, out.words); e != 0) return e;
  if (!out.words.empty()) out.words.erase(out.words.begin());
  out.words.push_back(0);
  return 0;
}

// Writes the list where there is room for it: `argv` becomes its address.
int put_arguments(CallStop& stop, const Arguments& list, Word& argv) {
  // Twice: where it lies is known after the first time.
  Word place = list.fits_slot() ? put_scratch(stop, list.block(0).data(), list.size(), xlate::k_path_max)
                                : room_of(stop.task, list.size());
  if (place == 0 || write_memory(stop.task.tid, place, list.block(place).data(), list.size()) != 0) return -EFAULT;
  argv = place + list.texts_size();
  return 0;
}

// Lets the guest map a room for the list instead of its exec, which it calls again afterwards. Below its stack may be
// no such room: a thread's stack is small, and writing from outside does not make one grow.
Next make_room(CallStop& stop, std::size_t size) {
  stop.task.extra[0] = xlate::page_up(size);
  stop.regs.orig_rax = stop.regs.rax = SYS_mmap;
  stop.regs.rdi = 0;
  stop.regs.rsi = stop.task.extra[0];
  stop.regs.rdx = PROT_READ | PROT_WRITE;
  stop.regs.r10 = MAP_PRIVATE | MAP_ANONYMOUS;
  stop.regs.r8 = ~Word{0};
  stop.regs.r9 = 0;
  stop.task.at_exit = AtExit::argument_room;
  return Next::watch;
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
  auto plan = std::make_shared<ExecPlan>();
  const std::string name(run.text.view());
  if (const int e = make_exec_plan(stop, run.at, name, *plan); e != 0) {
    run.exec_problem = std::move(plan->problem);
    return answer(stop, e);
  }
  const bool at_form = stop.call.number == SYS_execveat;
  Word argv = stop.arg(at_form ? 2 : 1);
  const Word envp = stop.arg(at_form ? 3 : 2);
  stop.task.at_entry = stop.regs;
  if (!plan->front.empty()) {
    Arguments list;
    if (const int e = read_arguments(stop, *plan, argv, list); e != 0) return answer(stop, e);
    if (!list.fits_slot() && room_of(stop.task, list.size()) == 0) return make_room(stop, list.size());
    if (const int e = put_arguments(stop, list, argv); e != 0) return answer(stop, e);
  }
  const std::string path = loader_path(*plan);
  const Word place = put_scratch(stop, path.c_str(), path.size() + 1);
  if (place == 0) return answer(stop, -EFAULT);
  stop.regs.orig_rax = SYS_execve;
  stop.regs.rax = SYS_execve;
  stop.regs.rdi = place;
  stop.regs.rsi = argv;
  stop.regs.rdx = envp;
  stop.task.at_exit = AtExit::exec;
  stop.task.plan = std::move(plan);
  return Next::watch;
}

void on_exec_exit(Task& task, AtExit what, Registers& regs) {
  const auto result = static_cast<long>(regs.rax);
  if (what == AtExit::exec) return release_room(task);  // it failed
  if (result < 0) return;                               // as if exec found no memory
  task.memory->rooms.push_back({regs.rax, task.extra[0], false});
  regs.rax = regs.orig_rax;
  regs.rip -= k_call_size;
}

}  // namespace udk::engine
