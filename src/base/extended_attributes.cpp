#include "base/extended_attributes.hpp"

#include <sys/xattr.h>

#include <array>
#include <string>

namespace udk {
namespace {

constexpr std::size_t k_most = 65536;  // of the kernel, for the list and for one value (xattr(7))

}  // namespace

void copy_extended_attributes(int from, int to) {
  const auto size = ::flistxattr(from, nullptr, 0);
  if (size <= 0) return;
  std::string names(k_most, '\0');
  const auto got = ::flistxattr(from, names.data(), names.size());
  names.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  std::string value(k_most, '\0');
  for (std::size_t at = 0; at < names.size(); at = names.find('\0', at) + 1) {
    const char* name = names.data() + at;
    const auto length = ::fgetxattr(from, name, value.data(), value.size());
    if (length >= 0) (void)::fsetxattr(to, name, value.data(), static_cast<std::size_t>(length), 0);
  }
}

}  // namespace udk
