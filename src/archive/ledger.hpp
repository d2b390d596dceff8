#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <string_view>

#include "archive/owner_record.hpp"
#include "archive/path_map.hpp"

namespace udk::archive {

// What an application of layers has to remember of the tree, since the disk does not tell: which paths the current
// layer wrote, the times that directories get in the end, and the owners. Paths are those of OwnerRecord.
class Ledger {
 public:
  // Whether the tree has content before the first layer.
  enum class Below { nothing, something };
  Ledger(OwnerRecord& owners, Below below) : owners_(owners), below_(below) {}

  // All that is there becomes a lower layer.
  void begin_layer();
  // False: a whiteout has nothing to hide.
  [[nodiscard]] bool has_lower_layers() const { return below_ == Below::something; }

  enum class Origin {
    lower,    // the current layer has nothing there
    implied,  // it has something below that path, but no entry for it
    own,      // it has an entry for it
  };
  // Only while there are lower layers.
  [[nodiscard]] Origin origin(std::string_view path) const;

  // The current layer made an entry.
  void made(std::string_view path);
  // What was there is gone, with all below it.
  void removed(std::string_view path);
  // Sets or, without a value, forgets.
  void set_owner(std::string_view path, const std::optional<Ownership>& owner);
  [[nodiscard]] std::optional<Ownership> owner(std::string_view path) const { return owners_.find(path); }
  void set_directory_time(std::string_view path, timespec time);
  void forget_directory_time(std::string_view path);
  // Parents first.
  void for_each_directory_time(const std::function<void(std::string_view path, timespec time)>& f) const;

 private:
  static constexpr std::int64_t k_no_time = INT64_MIN;
  struct Time {
    std::int64_t seconds = k_no_time;
    std::uint32_t nanoseconds = 0;
  };

  OwnerRecord& owners_;
  Below below_;
  bool began_ = false;
  PathMap<Origin> written_;  // by the current layer; kept only while there are lower ones
  PathMap<Time> directory_times_;
};

}  // namespace udk::archive
