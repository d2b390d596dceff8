#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "xlate/mount_table.hpp"

// The mount points that real directories lack: what has to be added to the listings of which directories, and how far
// each reader has got.
namespace udk::engine {

struct ListedEntry {
  std::string name;
  std::uint64_t inode = 0;
  unsigned char type = 0;  // DT_*
};

struct ListedDirectory {
  dev_t device = 0;
  ino_t inode = 0;
  std::string host;
  std::vector<ListedEntry> entries;
};

// A reader of such a directory: an open file description, known by the descriptors through which it was read. (To hold
// one ourselves would keep the guest's locks on it.)
struct ListingStream {
  std::deque<std::pair<pid_t, int>> descriptors;  // the last used in front
  std::size_t served = 0;  // entries that were handed out, or passed over, since the directory's own ones
  std::int64_t end = 0;    // the kernel's position behind the directory's own entries
};

class Listings {
 public:
  Listings() = default;
  explicit Listings(const xlate::MountTable& table);

  [[nodiscard]] bool empty() const { return directories_.empty(); }
  // The directory that a thread's descriptor is open on, or null if nothing is missing in it.
  [[nodiscard]] const ListedDirectory* find(pid_t tid, int fd) const;
  // The stream that this descriptor belongs to, whoever has copied or inherited it; null: none yet.
  ListingStream* stream(pid_t pid, int fd);
  ListingStream& new_stream(pid_t pid, int fd);

 private:
  std::vector<ListedDirectory> directories_;
  std::deque<ListingStream> streams_;  // the last used in front
};

}  // namespace udk::engine
