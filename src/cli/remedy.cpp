#include "cli/remedy.hpp"

namespace udk::cli {

std::string text_with_remedy(const Error& error) {
  if (error.code != Code::no_space) return error.text;
  return error.text + "; make room there (udocker rm, udocker rmi), or set UDOCKER_DIR to a place that has some";
}

}  // namespace udk::cli
