#include "engine/engine.hpp"

#include "engine/ptrace/session.hpp"

namespace udk::engine {

Result<int> run(const container::RunSpec& spec, EngineChoice choice, container::OwnerBook* owners) {
  return run_traced(spec, choice == EngineChoice::ptrace ? Filtering::if_possible : Filtering::never, owners);
}

}  // namespace udk::engine
