#include "base/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.hpp"

namespace udk {

std::string random_hex(std::size_t n) {
  std::string bytes(n, '\0');
  std::size_t done = 0;
  while (done < n) {
    auto got = ::getrandom(bytes.data() + done, n - done, 0);
    if (got < 0 && errno != EINTR) std::abort();
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  return to_hex(bytes);
}

std::string random_uuid() {
  auto hex = random_hex(16);
  hex[12] = '3';
  hex[16] = "89ab"[hex[16] & 3];
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' + hex.substr(16, 4) + '-' +
         hex.substr(20);
}

}  // namespace udk
