#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

#include "engine/ptrace/exec_plan.hpp"
#include "engine/ptrace/personality.hpp"

// From an exec plan to the list of commands for the loader, as Linux' binfmt_elf would map the files.
namespace udk::engine {
namespace {

using xlate::ElfImage;
using xlate::k_page;
using xlate::page_down;
using xlate::page_up;

// The address space as Linux lays it out.
struct Space {
  std::uint64_t program_base;  // of position-independent programs that have an interpreter, before randomisation
  std::uint64_t program_random_pages;
  Word fixed_stack_top;  // the highest address of a stack that is not randomised
};
constexpr Space k_spaces[] = {{0x555555554000, std::uint64_t{1} << 28, 0x7ffffffff000}, {0x56555000, 256, 0xffffe000}};
constexpr const Space& space(Abi abi) { return k_spaces[static_cast<std::size_t>(abi)]; }
// The heap begins up to this far behind the program.
constexpr std::uint64_t k_heap_random = 0x2000000;

// The numbers of the loader's calls. The mmap of i386 counts the file's offset in pages.
struct LoaderCalls {
  std::uint64_t openat, mmap, close, mprotect, prctl, personality;
};
constexpr LoaderCalls k_calls[] = {
    {SYS_openat, SYS_mmap, SYS_close, SYS_mprotect, SYS_prctl, SYS_personality},
    {295, 192, 6, 125, 172, 136},
};
constexpr const LoaderCalls& calls(Abi abi) { return k_calls[static_cast<std::size_t>(abi)]; }

std::uint64_t random_below(std::uint64_t limit) {
  std::uint64_t value = 0;
  if (::getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value)) return 0;
  return value % limit;
}

struct Auxiliary {
  Word type, value;
};

// The initial stack as the kernel made it for the loader.
struct Stack {
  Word pointer = 0;
  Word first_argument = 0;     // address of argv[0]'s text
  Word first_environment = 0;  // of the first environment text, or where they would be
  Word auxv = 0;               // address of the auxiliary vector
  std::vector<Auxiliary> entries;
  Word exec_name = 0;  // address of the text that AT_EXECFN points to: the end of the environment
};

// Skips pointers from `address` to behind the null pointer; the first one is kept.
template <class Pointer>
int skip_pointers(pid_t tid, Word& address, Word& first) {
  std::array<Pointer, 16> chunk{};
  bool seen = false;
  first = 0;
  for (;;) {
    // The vector behind the last pointer is longer than a chunk, so that reading ahead is safe.
    if (const int e = read_object(tid, address, chunk); e != 0) return e;
    for (const Pointer value : chunk) {
      address += sizeof value;
      if (!seen) first = value;
      seen = true;
      if (value == 0) return 0;
    }
  }
}

// `Entry` is the auxiliary vector's, of the program's word size.
template <class Entry>
int read_stack(pid_t tid, Word pointer, Stack& stack) {
  using Pointer = decltype(Entry::a_type);
  stack.pointer = pointer;
  std::array<Pointer, 2> begin{};  // count and first argument
  if (const int e = read_object(tid, pointer, begin); e != 0) return e;
  stack.first_argument = begin[1];
  Word address = pointer + sizeof(Pointer) * (Word{begin[0]} + 2);
  if (const int e = skip_pointers<Pointer>(tid, address, stack.first_environment); e != 0) return e;
  stack.auxv = address;
  for (unsigned i = 0; i < 64; ++i) {
    Entry entry{};
    if (const int e = read_object(tid, address, entry); e != 0) return e;
    address += sizeof entry;
    stack.entries.push_back({entry.a_type, entry.a_un.a_val});
    if (entry.a_type == AT_EXECFN) stack.exec_name = entry.a_un.a_val;
    if (entry.a_type == AT_NULL) break;
  }
  if (stack.first_environment == 0) stack.first_environment = stack.exec_name;
  if (stack.first_argument == 0) stack.first_argument = stack.first_environment;
  return stack.exec_name == 0 ? -EINVAL : 0;
}

template <class Entry>
int write_entries(pid_t tid, const Stack& stack) {
  std::vector<Entry> entries;
  for (const auto& [type, value] : stack.entries) {
    Entry entry{};
    entry.a_type = static_cast<decltype(Entry::a_type)>(type);
    entry.a_un.a_val = static_cast<decltype(Entry::a_type)>(value);
    entries.push_back(entry);
  }
  return write_memory(tid, stack.auxv, entries.data(), entries.size() * sizeof(Entry));
}

constexpr std::size_t entry_size(Abi abi) { return 2 * xlate::word_size(abi); }

// As prctl(PR_SET_MM_MAP) takes it (struct prctl_mm_map).
struct MemoryMap {
  std::uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
  std::uint64_t arg_start, arg_end, env_start, env_end, auxv;
  std::uint32_t auxv_size, exe_fd;
};
constexpr std::uint64_t k_set_mm_map = 14;  // PR_SET_MM_MAP

class Builder {
 public:
  Builder(Abi abi, Word top) : abi_(abi), top_(top) {}
  [[nodiscard]] Abi abi() const { return abi_; }

  void call(std::uint64_t number, std::array<std::uint64_t, 6> args, std::uint64_t flags = 0) {
    LoaderCommand command;
    command.number = number;
    std::copy(args.begin(), args.end(), command.args);
    command.flags = flags;
    commands_.push_back(command);
  }
  void store(Word address, std::uint64_t value, bool add_base) {
    call(k_op_store, {address, value, 0, 0, 0, 0}, add_base ? k_add_base1 : 0);
  }
  // Room for data that the commands refer to.
  Word place(const void* data, std::size_t size) {
    top_ = (top_ - size) & ~Word{15};
    data_.push_back({top_, std::string(static_cast<const char*>(data), size)});
    return top_;
  }
  Word place_text(const std::string& text) { return place(text.c_str(), text.size() + 1); }
  int write(pid_t tid, Word& commands_at) {
    const std::string commands = command_bytes();
    commands_at = place(commands.data(), commands.size());
    const Word low = commands_at;
    std::string block(data_.front().first + data_.front().second.size() - low, '\0');
    for (const auto& [address, bytes] : data_) std::memcpy(block.data() + (address - low), bytes.data(), bytes.size());
    return write_memory(tid, low, block.data(), block.size());
  }

 private:
  [[nodiscard]] std::string command_bytes() const {
    std::string bytes(reinterpret_cast<const char*>(commands_.data()), commands_.size() * sizeof commands_[0]);
    if (abi_ == Abi::x86_64) return bytes;
    std::string halves;
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t))
      halves.append(bytes, at, sizeof(std::uint32_t));
    return halves;
  }

  Abi abi_;
  Word top_;
  std::vector<std::pair<Word, std::string>> data_;
  std::vector<LoaderCommand> commands_;
};

int protection(const Elf64_Phdr& p) {
  return ((p.p_flags & PF_R) != 0 ? PROT_READ : 0) | ((p.p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
         ((p.p_flags & PF_X) != 0 ? PROT_EXEC : 0);
}

std::uint64_t u64(int v) { return static_cast<std::uint64_t>(v); }

// Maps one file. `bias` is added to its addresses; with `floating` the kernel chooses the place, the loader keeps it as
// its base, and addresses are given relative to the lowest segment.
// `behind`: so much memory is reserved behind it.
void map_file(Builder& out, const ExecFile& file, std::uint64_t bias, bool floating, std::uint64_t behind = 0) {
  const ElfImage& image = file.image;
  const LoaderCalls& nr = calls(out.abi());
  const std::uint64_t at_fdcwd = static_cast<std::uint64_t>(std::int64_t{AT_FDCWD});
  out.call(nr.openat, {at_fdcwd, out.place_text(file.host), u64(O_RDONLY | O_CLOEXEC), 0, 0, 0}, k_set_fd);
  if (floating)
    out.call(nr.mmap,
             {0, page_up(image.high) - image.low + behind, PROT_NONE, u64(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE),
              ~std::uint64_t{0}, 0},
             k_set_base);
  const std::uint64_t add = floating ? k_add_base0 : 0;
  const int anonymous = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS;
  for (const Elf64_Phdr& p : file.segments) {
    if (p.p_type != PT_LOAD || p.p_memsz == 0) continue;
    const std::uint64_t start = floating ? p.p_vaddr - image.low : p.p_vaddr + bias;
    const std::uint64_t file_end = start + p.p_filesz;
    const std::uint64_t end = page_up(start + p.p_memsz);
    std::uint64_t mapped = page_down(start);
    if (p.p_filesz != 0) {
      const std::uint64_t length = page_up(file_end) - mapped;
      const std::uint64_t unit = out.abi() == Abi::x86_64 ? 1 : k_page;
      out.call(nr.mmap,
               {mapped, length, u64(protection(p)), u64(MAP_PRIVATE | MAP_FIXED), 0, page_down(p.p_offset) / unit},
               add | k_fd4);
      mapped += length;
      if (p.p_memsz > p.p_filesz && (p.p_flags & PF_W) != 0 && page_up(file_end) != file_end)
        out.call(k_op_zero, {file_end, page_up(file_end) - file_end, 0, 0, 0, 0}, add);
    }
    if (end > mapped)
      out.call(nr.mmap, {mapped, end - mapped, u64(protection(p)), u64(anonymous), ~std::uint64_t{0}, 0}, add);
  }
  out.call(nr.close, {0, 0, 0, 0, 0, 0}, k_fd0);
}

// Memory for the trampolines of the libraries, which will be mapped near the dynamic loader.
void add_fast_area(Builder& out, Task& task, const ElfImage& interpreter) {
  const std::uint64_t behind = page_up(interpreter.high) - interpreter.low;
  out.call(SYS_mmap,
           {behind, k_fast_area_size, u64(PROT_READ | PROT_EXEC), u64(MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS),
            ~std::uint64_t{0}, 0},
           k_add_base0);
  task.memory->fast.area_behind = behind;
}

struct Layout {
  bool fixed_addresses = false;  // address space randomisation is off
  bool program_floats = false;   // placed by the kernel (no interpreter)
  std::uint64_t bias = 0;        // of the program, unless it floats
};

Layout choose_layout(const ExecPlan& plan, const Stack& stack) {
  Layout layout;
  const ElfImage& image = plan.executable.image;
  // The name of the program is the last text of the stack, followed by one null pointer.
  const Word end = (stack.exec_name & ~(k_page - 1)) + k_page;
  layout.fixed_addresses = end == space(image.abi).fixed_stack_top;
  if (!image.position_independent) return layout;
  layout.program_floats = plan.interpreter.image.high == 0;
  if (layout.program_floats) return layout;
  std::uint64_t base = space(image.abi).program_base;
  if (!layout.fixed_addresses) base += random_below(space(image.abi).program_random_pages) * k_page;
  layout.bias = (base & ~(image.align - 1)) - image.low;
  return layout;
}

// An auxiliary entry that depends on where the program landed: written now, or by the loader.
void set_entry(Builder& out, Stack& stack, std::uint64_t type, std::uint64_t value, bool floating) {
  for (std::size_t i = 0; i < stack.entries.size(); ++i) {
    if (stack.entries[i].type != type) continue;
    stack.entries[i].value = value;
    const Word place = stack.auxv + i * entry_size(out.abi()) + xlate::word_size(out.abi());
    if (floating) out.store(place, value, true);
  }
}

void set_entries(Builder& out, Stack& stack, const Run& run, const Task& task, const ExecPlan& plan,
                 const Layout& layout) {
  const ElfImage& program = plan.executable.image;
  const bool floats = layout.program_floats;
  const std::uint64_t bias = floats ? std::uint64_t{0} - program.low : layout.bias;
  set_entry(out, stack, AT_PHDR, program.phdr_address == 0 ? 0 : program.phdr_address + bias, floats);
  set_entry(out, stack, AT_PHNUM, program.phnum, false);
  set_entry(out, stack, AT_ENTRY, program.entry + bias, floats);
  if (plan.interpreter.image.high != 0) set_entry(out, stack, AT_BASE, 0, true);
  if (!run.emulate_ids) return;
  const Credentials& c = *task.credentials;
  set_entry(out, stack, AT_UID, c.uid.real, false);
  set_entry(out, stack, AT_EUID, c.uid.effective, false);
  set_entry(out, stack, AT_GID, c.gid.real, false);
  set_entry(out, stack, AT_EGID, c.gid.effective, false);
  const bool gained = c.uid.effective != c.uid.real || c.gid.effective != c.gid.real;
  set_entry(out, stack, AT_SECURE, (plan.set_uid || plan.set_gid) && gained ? 1 : 0, false);
}

// Tells the kernel the program's layout: brk(2), /proc/PID/{auxv,cmdline,stat}. Hosts without it keep the loader's.
void add_memory_map(Builder& out, const Stack& stack, const ExecPlan& plan, const Layout& layout) {
  const ElfImage& image = plan.executable.image;
  const bool floats = layout.program_floats;
  const std::uint64_t bias = floats ? std::uint64_t{0} - image.low : layout.bias;
  const std::uint64_t shift = layout.fixed_addresses ? 0 : page_down(random_below(k_heap_random));
  MemoryMap map{};
  map.start_code = image.code_low + bias;
  map.end_code = image.code_high + bias;
  map.start_data = image.data_low + bias;
  map.end_data = image.data_high + bias;
  // A program that the kernel placed among the libraries gets its heap where other programs are.
  map.start_brk = map.brk = (floats ? space(image.abi).program_base : page_up(image.brk + bias)) + shift;
  map.start_stack = stack.pointer;
  map.arg_start = stack.first_argument;
  map.arg_end = map.env_start = stack.first_environment;
  map.env_end = stack.exec_name;
  map.auxv = stack.auxv;
  map.auxv_size = static_cast<std::uint32_t>(stack.entries.size() * entry_size(image.abi));
  map.exe_fd = ~std::uint32_t{0};
  const Word place = out.place(&map, sizeof map);
  if (floats) {
    const std::array<std::pair<std::size_t, std::uint64_t>, 4> fields = {{
        {offsetof(MemoryMap, start_code), map.start_code},
        {offsetof(MemoryMap, end_code), map.end_code},
        {offsetof(MemoryMap, start_data), map.start_data},
        {offsetof(MemoryMap, end_data), map.end_data},
    }};
    for (const auto& [offset, value] : fields) out.store(place + offset, value, true);
  }
  out.call(calls(out.abi()).prctl, {PR_SET_MM, k_set_mm_map, place, sizeof map, 0, 0}, k_may_fail);
}

// 32-bit programs that do not say anything about their stack are of the time in which all memory could be executed
// (Linux: arch/x86/include/asm/elf.h).
bool reads_imply_execution(const ElfImage& image) { return image.abi == Abi::i386 && !image.stack_said; }
bool stack_is_executable(const ElfImage& image) { return image.executable_stack || reads_imply_execution(image); }

}  // namespace

int write_exec_plan(Run& run, Task& task, const ExecPlan& plan, Registers& regs) {
  Stack stack;
  const Abi abi = plan.executable.image.abi;
  const bool wide = abi == Abi::x86_64;
  const auto read = wide ? read_stack<Elf64_auxv_t> : read_stack<Elf32_auxv_t>;
  if (const int e = read(task.tid, regs.rsp, stack); e != 0) return e;
  const Layout layout = choose_layout(plan, stack);
  task.memory->auxv = stack.auxv;
  task.memory->auxv_size = stack.entries.size() * entry_size(abi);
  // In the scratch slots, which nobody uses yet. Below the stack only what the stack has grown to can be written, and
  // with many arguments it has grown to no more than the kernel's own words.
  constexpr std::size_t k_command_slots = 4;
  Builder out(abi, task.memory->scratch + k_command_slots * k_slot_size);

  out.call(calls(abi).prctl, {PR_SET_NAME, out.place_text(plan.comm.substr(0, 15)), 0, 0, 0, 0}, k_may_fail);
  const bool executable = stack_is_executable(plan.executable.image);
  if (reads_imply_execution(plan.executable.image))
    out.call(calls(abi).personality, {personality_of(task.tid) | READ_IMPLIES_EXEC, 0, 0, 0, 0, 0}, k_may_fail);
  map_file(out, plan.executable, layout.bias, layout.program_floats);
  const bool interpreted = plan.interpreter.image.high != 0;
  if (interpreted) {
    const bool fixed = !plan.interpreter.image.position_independent;
    const bool fast = run.fast && wide && !fixed;
    map_file(out, plan.interpreter, 0, !fixed, fast ? k_fast_area_size : 0);
    if (fast) add_fast_area(out, task, plan.interpreter.image);
  }
  if (executable)
    out.call(calls(abi).mprotect,
             {page_down(stack.pointer), k_page, u64(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN), 0, 0, 0});
  set_entries(out, stack, run, task, plan, layout);
  add_memory_map(out, stack, plan, layout);
  const ElfImage& last = interpreted ? plan.interpreter.image : plan.executable.image;
  const bool floats = interpreted ? plan.interpreter.image.position_independent : layout.program_floats;
  const std::uint64_t entry = last.entry + (floats ? std::uint64_t{0} - last.low : (interpreted ? 0 : layout.bias));
  out.call(k_op_finish, {entry, 0, 0, 0, 0, 0}, floats ? k_add_base0 : 0);

  Word commands = 0;
  if (const int e = out.write(task.tid, commands); e != 0) return e;
  const auto write = wide ? write_entries<Elf64_auxv_t> : write_entries<Elf32_auxv_t>;
  if (const int e = write(task.tid, stack); e != 0) return e;
  if (const int e = write_memory(task.tid, stack.exec_name, plan.exec_name.c_str(), plan.exec_name.size() + 1); e != 0)
    return e;
  regs.r12 = commands;  // for the loader of x86-64; that of i386 looks into the scratch memory
  if (wide) return 0;
  const auto first = static_cast<std::uint32_t>(commands);
  return write_object(task.tid, plan.loader->scratch(), first);
}

}  // namespace udk::engine
