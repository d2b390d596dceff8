#pragma once

#include <cstdint>
#include <random>

namespace udk::archive::test {

// The same numbers on every machine.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  unsigned below(std::size_t limit) { return static_cast<unsigned>(engine_() % limit); }
  char byte() { return static_cast<char>(engine_() & 0xffU); }

 private:
  std::mt19937 engine_;
};

}  // namespace udk::archive::test
