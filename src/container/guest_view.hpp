#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "container/run_spec.hpp"

namespace udk::container {

// Where a guest path leads after all links.
struct GuestLocation {
  std::string guest;                  // canonical: no link in it, no "..", no bind hides it
  std::string host;                   // the host path behind it; no component below the root or bind is a link
  std::optional<struct stat> status;  // nullopt: nothing there (then the last components of `guest` may be missing)
};

// The tree that the payload will see, looked at from the host: ROOT with the binds in place. Links are read and applied
// to guest paths, so an absolute link of the image never leads to the host's file of that name.
class GuestView {
 public:
  // `root` and the host side of the binds must be canonical (realpath(3)).
  explicit GuestView(std::string root) : root_(std::move(root)) {}
  // The guest path must be canonical in this view. Replaces a bind at the same path.
  void add(Bind bind);
  [[nodiscard]] const std::vector<Bind>& binds() const { return binds_; }

  // Follows `path` (absolute) to its end; the last component's link is followed too. What is missing is no error: the
  // components from there on are kept as they are. Errors: ENOTDIR (Code::not_found), ELOOP, no permission.
  [[nodiscard]] Result<GuestLocation> locate(std::string_view path) const;
  // The content of a regular file, "" if there is none.
  [[nodiscard]] Result<std::string> read(std::string_view path, std::size_t limit) const;
  // mkdir -p of a guest path, only for what lies in ROOT itself. Code::denied where a bind would have to be written.
  [[nodiscard]] Result<> make_dirs(std::string_view path) const;

 private:
  // Of canonical guest paths, where "" is the root.
  [[nodiscard]] const Bind* bind_of(std::string_view guest) const;
  [[nodiscard]] std::string host_path(const std::string& guest) const;
  [[nodiscard]] bool holds_mount_point(std::string_view guest) const;
  [[nodiscard]] Result<std::optional<struct stat>> status(const std::string& guest) const;
  std::string root_;
  std::vector<Bind> binds_;
};

}  // namespace udk::container
