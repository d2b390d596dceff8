#pragma once

#include "base/result.hpp"
#include "container/owner_book.hpp"
#include "container/run_spec.hpp"

namespace udk::engine {

enum class Filtering : unsigned char { if_possible, never };

// engine::run() by tracing: everything of one run is made, served and taken away here.
Result<int> run_traced(const container::RunSpec& spec, Filtering filtering, container::OwnerBook* owners);

}  // namespace udk::engine
