#include "engine/ptrace/task_table.hpp"

namespace udk::engine {

Task& TaskTable::add(pid_t tid) {
  std::unique_ptr<Task>& place = tasks_[tid];
  if (!place) {
    place = std::make_unique<Task>();
    place->tid = place->tgid = tid;
  }
  return *place;
}

void TaskTable::remove(pid_t tid) {
  const auto it = tasks_.find(tid);
  if (it == tasks_.end()) return;
  release_scratch(*it->second);
  tasks_.erase(it);
}

Task& TaskTable::rename(pid_t from, pid_t to) {
  auto node = tasks_.extract(from);
  if (node.empty()) return add(to);
  remove(to);
  node.key() = to;
  node.mapped()->tid = to;
  return *tasks_.insert(std::move(node)).position->second;
}

Task* TaskTable::find_process(pid_t tgid) {
  Task* leader = find(tgid);
  if (leader != nullptr && leader->known) return leader;
  for (auto& [tid, task] : tasks_)
    if (task->tgid == tgid && task->known) return task.get();
  return nullptr;
}

Word scratch_of(Task& task) {
  AddressSpace& memory = *task.memory;
  if (task.slot < 0) {
    for (std::size_t i = 0; i < memory.slots && task.slot < 0; ++i)
      if (!memory.used[i]) task.slot = static_cast<int>(i);
    if (task.slot < 0) return 0;
    memory.used.set(static_cast<std::size_t>(task.slot));
  }
  return memory.scratch + static_cast<Word>(task.slot) * k_slot_size;
}

Word scratch_run(Task& task, std::size_t size) {
  AddressSpace& memory = *task.memory;
  const std::size_t wanted = (size + k_slot_size - 1) / k_slot_size;
  std::size_t free = 0;
  for (std::size_t i = 0; i < memory.slots; ++i) {
    free = memory.used[i] ? 0 : free + 1;
    if (free < wanted) continue;
    task.run_first = i + 1 - wanted;
    task.run_count = wanted;
    for (std::size_t used = task.run_first; used <= i; ++used) memory.used.set(used);
    return memory.scratch + task.run_first * k_slot_size;
  }
  return 0;
}

void release_run(Task& task) {
  for (std::size_t i = 0; i < task.run_count; ++i) task.memory->used.reset(task.run_first + i);
  task.run_count = 0;
}

void release_scratch(Task& task) {
  release_run(task);
  if (task.slot < 0) return;
  task.memory->used.reset(static_cast<std::size_t>(task.slot));
  task.slot = -1;
}

}  // namespace udk::engine
