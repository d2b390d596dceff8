#include "guest/runtime_image.hpp"

#include <cstring>

extern "C" {
extern const char udk_runtime_begin[], udk_runtime_end[];
}

namespace udk::guest {

std::string_view runtime_image() {
  return {udk_runtime_begin, static_cast<std::size_t>(udk_runtime_end - udk_runtime_begin)};
}

const RuntimeHeader& runtime_header() {
  static const RuntimeHeader header = [] {
    RuntimeHeader out{};
    std::memcpy(&out, udk_runtime_begin, sizeof out);
    return out;
  }();
  return header;
}

}  // namespace udk::guest
