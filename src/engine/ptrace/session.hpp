#pragma once

#include "base/result.hpp"
#include "container/owner_book.hpp"
#include "container/run_spec.hpp"
#include "engine/ptrace/launch.hpp"

namespace udk::engine {

// engine::run() by tracing, in no better way than `best`: everything of one run is made, served and taken away here.
Result<int> run_traced(const container::RunSpec& spec, Interception best, container::OwnerBook* owners);

}  // namespace udk::engine
