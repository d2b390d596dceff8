#pragma once

#include <fmt/core.h>

#include <string_view>

#include "base/result.hpp"

// Results on stdout. Written at once, so that they keep their order with what children write.
namespace udk::cli {

// Failure (a full disk, a closed pipe) ends up in the exit code through `output_failed`.
void put(std::string_view text);
bool output_failed();

template <class... A>
void put_line(fmt::format_string<A...> f, A&&... a) {
  put(fmt::format(f, std::forward<A>(a)...) + "\n");
}

}  // namespace udk::cli
