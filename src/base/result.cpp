#include "base/result.hpp"

#include <cerrno>
#include <cstring>

namespace udk {
namespace {

Code code_of(int err) {
  switch (err) {
    case ENOENT:
    case ENOTDIR:
      return Code::not_found;
    case EEXIST:
    case ENOTEMPTY:
      return Code::exists;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::denied;
    case ENOSPC:
    case EDQUOT:
      return Code::no_space;
    case EBUSY:
    case EAGAIN:
    case ETXTBSY:
      return Code::busy;
    case ENOSYS:
    case EOPNOTSUPP:
      return Code::unsupported;
    default:
      return Code::io;
  }
}

}  // namespace

Error sys_error(int err, std::string_view what) {
  // strerrordesc_np reads no locale files, which strerror does in a program that calls setlocale.
  const char* text = strerrordesc_np(err);
  return {code_of(err), err, std::string(what) + ": " + (text ? text : "error " + std::to_string(err))};
}

}  // namespace udk
