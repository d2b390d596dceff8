#include "engine/engine.hpp"

#include "engine/ptrace/session.hpp"

namespace udk::engine {

namespace {

Interception best_of(EngineChoice choice) {
  switch (choice) {
    case EngineChoice::ptrace:
      break;
    case EngineChoice::ptrace_stops:
      return Interception::seccomp;
    case EngineChoice::ptrace_no_filter:
      return Interception::every;
  }
  return Interception::notify;
}

}  // namespace

Result<int> run(const container::RunSpec& spec, EngineChoice choice, container::OwnerBook* owners) {
  return run_traced(spec, best_of(choice), owners);
}

}  // namespace udk::engine
