#pragma once

#include <memory>
#include <unordered_map>

#include "engine/ptrace/task.hpp"

namespace udk::engine {

// The guest's threads by thread id. Tasks stay at their address until they are removed.
class TaskTable {
 public:
  TaskTable() { tasks_.reserve(256); }

  Task* find(pid_t tid) {
    const auto it = tasks_.find(tid);
    return it == tasks_.end() ? nullptr : it->second.get();
  }
  Task& add(pid_t tid);
  void remove(pid_t tid);
  // The thread `from` goes on as `to` (exec by a thread that is not the leader).
  Task& rename(pid_t from, pid_t to);
  // Any thread of a process, or null.
  Task* find_process(pid_t tgid);

  [[nodiscard]] bool empty() const { return tasks_.empty(); }
  template <class F>
  void for_each(F f) {
    for (auto& [tid, task] : tasks_) f(*task);
  }

 private:
  std::unordered_map<pid_t, std::unique_ptr<Task>> tasks_;
};

// The address of the thread's scratch slot in the guest, or 0 when all are taken.
Word scratch_of(Task& task);
// The address of free slots side by side that hold `size` bytes, until release_run(); 0: not that many are free.
Word scratch_run(Task& task, std::size_t size);
void release_run(Task& task);
// Gives the slot back (end of the thread, new address space).
void release_scratch(Task& task);

}  // namespace udk::engine
