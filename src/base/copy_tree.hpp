#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"

namespace udk {

struct CopyOptions {
  std::string except;  // a name in the top directory that is left out
  // Called several times a second in the calling thread; an error ends the whole.
  std::function<Result<>()> progress;
};

// Copies what is in the directory `from`, and its mode and time, to the directory `to`, in which nothing of the same
// names is. Kept are hard links among what is copied, holes, modes, modification times, and extended attributes as far
// as they may be set; owners are those of the caller. Content is shared or copied by the file system itself where it
// can. Several threads work; the umask must let every mode pass meanwhile (UmaskScope). Device nodes that cannot be
// made are left out. After an error the copy is incomplete.
Result<> copy_tree(const std::string& from, const std::string& to, const CopyOptions& options);

}  // namespace udk
