#pragma once

#include <sys/types.h>

#include <ctime>

#include "base/result.hpp"
#include "engine/ptrace/call_stop.hpp"
#include "engine/ptrace/launch.hpp"

// The loop that waits for stops of guest threads and serves them.
namespace udk::engine {

class Tracer {
 public:
  Tracer(Run& run, Interception how) : run_(run), how_(how), armed_(how != Interception::every) {}

  // Serves the guest from its first stop to the end of its first process, then ends all others. The wait status of the
  // first process; nullopt-like Error if it never came to its program (`launched` tells why).
  Result<int> serve(const Launched& launched);

 private:
  void serve_stops();
  Result<> serve_events();
  bool serve_statuses();
  void on_status(pid_t tid, int status);
  void on_end(pid_t tid, int status);
  void on_stop(Task& task, int status);
  void on_trap_stop(Task& task, int signal);
  void on_signal(Task& task, int signal);
  void leave_stub(Task& task);
  void on_new_task(Task& parent);
  void on_exec(Task& task);
  void on_foreign_report(Task& task);
  void on_entry(Task& task, Abi abi);
  void on_exit(Task& task);
  void on_call(Task& task);
  void on_notification();
  void hand_over(Task& task, std::uint64_t notification);
  void make_again(Task& task);
  void start_listening(const Task& task);
  void restart_withdrawn(const Task& task);
  void finish_call(Task& task, AtExit what, Registers& own);
  Next serve_unfiltered(CallStop& stop);
  Next serve_socketcall(CallStop& stop);
  void resume(Task& task, int signal = 0);
  void resume_to_exit(Task& task);
  Next dispatch(CallStop& stop);
  void kill_all();
  void save_owners(bool at_end);
  bool leave_runtime_for(Task& task, int signal);

  Run& run_;
  Interception how_;
  Listener listener_;
  bool armed_;            // calls are served; without a filter not before the first process says so
  bool started_ = false;  // the payload's program runs
  bool ended_ = false;
  int status_ = 0;
  time_t next_save_ = 0;  // seconds of the monotonic clock
};

}  // namespace udk::engine
