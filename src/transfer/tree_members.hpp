#pragma once

#include <sys/stat.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "archive/owner_record.hpp"
#include "base/own_file.hpp"
#include "base/result.hpp"
#include "transfer/tar_output.hpp"

namespace udk::transfer {

// Writes a directory and all that is in it as members, by name, hard links as such, holes left out. Sockets are no
// members, nor what is on other file systems.
class TreeMembers {
 public:
  // With a record the owners and modes are the guest's; without, those of the disk.
  TreeMembers(TarOutput& out, const archive::OwnerRecord* owners) : out_(out), owners_(owners) {}
  // The tree is "./" in the archive; what is in it has names without that.
  Result<> write(const std::string& path);

 private:
  struct Level {
    OwnDir dir;
    std::string path;                // in the archive, with a slash at the end, "" for the top
    std::vector<std::string> names;  // that are left, the next one last
  };
  Result<> enter(OwnDir dir, const std::string& path);
  Result<> add(const Level& level, const std::string& name);
  Result<> add_directory(const Level& level, const std::string& name, const std::string& path,
                         const struct stat& status);
  Result<> add_file(const Level& level, const std::string& name, const archive::Member& member);
  Result<> add_other(const Level& level, const std::string& name, archive::Member member, const struct stat& status);
  [[nodiscard]] archive::Member describe(const std::string& path, const struct stat& status) const;

  TarOutput& out_;
  const archive::OwnerRecord* owners_;
  dev_t device_ = 0;
  std::vector<Level> levels_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;  // of files with several
};

}  // namespace udk::transfer
