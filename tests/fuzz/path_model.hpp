#pragma once

#include <string>

#include "path_world.hpp"

// path_resolution(7) in the guest's view, told as simply as it can be: names in a list, the host path looked up anew
// for every question. What the resolver answers is compared with it.
namespace udk::xlate::fuzz {

struct Answer {
  int error = 0;  // as the resolver: 0 or -errno; without one, the rest is meant
  std::string guest;
  std::string host;
  std::size_t mount = 0;
  Last last = Last::root;
  bool mount_point = false;
  bool trailing_slash = false;
  bool kernel_link = false;
  bool nameless = false;
  bool jumped = false;  // a kernel link was followed, which may lead out of the root
};

Answer model_resolve(World& world, const Query& query);

}  // namespace udk::xlate::fuzz
