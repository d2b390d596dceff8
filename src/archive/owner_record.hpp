#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "archive/path_map.hpp"

namespace udk::archive {

// Whom an image says a file belongs to, and its mode bits (07777, the file type is not in it).
struct Ownership {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint16_t mode = 0;

  friend bool operator==(const Ownership&, const Ownership&) = default;
};

// What the disk does not show of a container's tree: the files that do not belong to 0:0, that have set-id bits, or
// whose mode on the disk was widened so that the user can read and delete them. Everything else is not in it: there
// the owner is 0:0 and the mode that of the disk. A value type; the store serialises it. Paths are relative to the
// root, without "." or "..", symlinks in them resolved; the root itself is "".
class OwnerRecord {
 public:
  void set(std::string_view path, Ownership owner);
  [[nodiscard]] std::optional<Ownership> find(std::string_view path) const;
  // Forgets one path; what is below it stays.
  void erase(std::string_view path);
  // Forgets a path and all below it: the file was removed or replaced.
  void erase_tree(std::string_view path);
  void clear();
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Every recorded path once, a directory before what is in it, siblings in byte order.
  void for_each(const std::function<void(std::string_view path, const Ownership&)>& f) const;

 private:
  static constexpr std::uint16_t k_unset = UINT16_MAX;  // no mode has that value
  struct Slot {
    Ownership owner{0, 0, k_unset};
  };
  PathMap<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace udk::archive
