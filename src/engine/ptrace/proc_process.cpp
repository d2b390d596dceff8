#include <elf.h>

#include <cstring>

#include "engine/ptrace/exec_plan.hpp"
#include "engine/ptrace/group_stop.hpp"
#include "engine/ptrace/memory.hpp"
#include "engine/ptrace/proc_files.hpp"

// /proc/PID/{comm,stat,auxv}: the kernel's, but for what our loader and the tracing leave there.
namespace udk::engine {
namespace {

constexpr std::size_t k_comm_max = 15;

template <class Entry>
Word entry_point(const std::string& bytes) {
  for (std::size_t at = 0; at + sizeof(Entry) <= bytes.size(); at += sizeof(Entry)) {
    Entry entry{};
    std::memcpy(&entry, bytes.data() + at, sizeof entry);
    if (entry.a_type == AT_ENTRY) return entry.a_un.a_val;
  }
  return 0;
}

}  // namespace

std::optional<std::string> starting_name(const Task& task, std::string_view shown) {
  const ExecPlan* plan = task.held ? task.held.get() : task.plan.get();
  if (plan == nullptr || plan->loader == nullptr) return std::nullopt;
  const std::string& path = plan->loader->path();
  if (shown != std::string_view(path).substr(path.rfind('/') + 1)) return std::nullopt;
  return plan->comm.substr(0, k_comm_max);
}

std::optional<std::string> proc_comm(const Task& task, const std::string& host_text) {
  const auto name = starting_name(task, std::string_view(host_text).substr(0, host_text.find('\n')));
  return name ? std::optional(*name + '\n') : std::nullopt;
}

// "PID (name) state ...". Of another process always, since it may be in one of our stops when the file is read.
std::optional<std::string> proc_stat(const Task& task, bool own, const std::string& host_text) {
  const std::size_t open = host_text.find('(');
  const std::size_t close = host_text.rfind(") ");
  if (open == std::string::npos || close == std::string::npos || close + 2 >= host_text.size()) return std::nullopt;
  const std::string shown = host_text.substr(open + 1, close - open - 1);
  const auto name = starting_name(task, shown);
  if (!name && own) return std::nullopt;
  std::string out = host_text.substr(0, open + 1) + name.value_or(shown) + host_text.substr(close);
  char& state = out[out.rfind(") ") + 2];
  if (state == 't' || state == 'T') state = is_stopped(task) ? 'T' : 'R';
  return out;
}

// Where the kernel lets nobody change its copy (PR_SET_MM) that is the loader's; the program's is on its stack.
std::optional<std::string> proc_auxv(const Task& task, const std::string& host_bytes) {
  const AddressSpace& memory = *task.memory;
  if (memory.loader == 0 || memory.auxv_size == 0) return std::nullopt;
  const bool wide = memory.abi == Abi::x86_64;
  const Word entry = wide ? entry_point<Elf64_auxv_t>(host_bytes) : entry_point<Elf32_auxv_t>(host_bytes);
  if (entry < memory.loader || entry >= LoaderImage::scratch_of(memory.abi, memory.loader)) return std::nullopt;
  std::string bytes(memory.auxv_size, '\0');
  return read_memory(task.tid, memory.auxv, bytes.data(), bytes.size()) == 0 ? std::optional(bytes) : std::nullopt;
}

}  // namespace udk::engine
