#pragma once

#include <string>
#include <vector>

namespace udk::cli {

// The whole program: `words` are the command line without the program's name. Returns the exit code.
int entry(const std::vector<std::string>& words);

}  // namespace udk::cli
