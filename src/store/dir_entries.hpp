#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace udk::store {

enum class EntryType { directory, link, file, other };

struct DirEntry {
  std::string name;
  EntryType type = EntryType::other;
};

// What is in a directory, in directory order, without "." and ".."; links are not followed. One system call per
// entry only on file systems that do not tell the type with the name.
Result<std::vector<DirEntry>> dir_entries(int dir_fd);
// The same by path; Code::not_found if there is no such directory.
Result<std::vector<DirEntry>> dir_entries(const std::string& path);

}  // namespace udk::store
