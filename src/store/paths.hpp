#pragma once

#include <string>

#include "base/result.hpp"

namespace udk::store {

// Where the parts of a repository are. Each can be moved by configuration (UDOCKER_BIN, UDOCKER_LAYERS, ...); all are
// absolute.
struct Paths {
  std::string top;         // UDOCKER_DIR
  std::string bin;         // executables of the Python tool; ours needs none
  std::string lib;         // libraries of the Python tool
  std::string doc;         // licences of the Python tool
  std::string repos;       // one directory per image tag
  std::string layers;      // all blobs, flat
  std::string containers;  // one directory per container, one link per alias

  // The parts in their usual places below `top`, which is made absolute (from the current directory) and normalised.
  static Paths under(const std::string& top);
};

// Whether the data is there: repos, layers and containers are directories. (The Python tool also asks for bin and lib,
// which hold nothing but its own programs; create_repository makes them for its sake.)
bool is_repository(const Paths& paths);

// Makes what is missing of the seven directories; modes follow the umask.
Result<> create_repository(const Paths& paths);
// A repository in its usual layout, in a directory that is made with it: whole or not at all.
Result<> create_new_repository(const std::string& dir);

}  // namespace udk::store
