#pragma once

#include <cstddef>
#include <string>

namespace udk {

// `n` random bytes from getrandom(2) as 2n lower-case hexadecimal digits.
std::string random_hex(std::size_t n);
// RFC 4122 text form with version 3, the form of the Python tool's container ids (random, not derived from a name).
std::string random_uuid();

}  // namespace udk
