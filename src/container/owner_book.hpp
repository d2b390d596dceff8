#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

// Where an engine finds, and leaves, what the disk does not show of a container's files. Without privileges every file
// belongs to the user who runs udocker and has no set-id bits; root emulation shows what is recorded here instead.
namespace udk::container {

struct FileOwner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint16_t mode = 0;  // 07777, without the file type

  friend bool operator==(const FileOwner&, const FileOwner&) = default;
};

// Paths are relative to the container's root, canonical, without a leading slash; "" is the root itself.
class OwnerBook {
 public:
  // nullopt: the file is as the disk shows it, owned by 0:0.
  using Changes = std::map<std::string, std::optional<FileOwner>>;

  OwnerBook() = default;
  OwnerBook(const OwnerBook&) = delete;
  OwnerBook& operator=(const OwnerBook&) = delete;
  virtual ~OwnerBook() = default;

  virtual Result<> read(const std::function<void(std::string_view path, const FileOwner&)>& each) = 0;
  // Applies the changes to what is recorded by now: other runs of the container may have written in the meantime.
  virtual Result<> write(const Changes& changes) = 0;
};

}  // namespace udk::container
