#include "engine/ptrace/personality.hpp"

#include <cstdlib>
#include <string>

#include "base/file.hpp"

namespace udk::engine {

unsigned personality_of(pid_t tid) {
  const auto text = read_file("/proc/" + std::to_string(tid) + "/personality", 64);
  return text ? static_cast<unsigned>(std::strtoul(text->c_str(), nullptr, 16)) : 0;
}

}  // namespace udk::engine
