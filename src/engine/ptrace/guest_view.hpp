#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "container/run_spec.hpp"
#include "xlate/mount_table.hpp"

// The mount table of a run: root and binds with every path made canonical, and empty "glue" directories in place of
// parents that the image lacks. Nothing is ever created in the image.
namespace udk::engine {

class GuestView {
 public:
  // Fails when a bind's host path is gone or its guest path leads through a file.
  static Result<GuestView> create(const container::RunSpec& spec);
  GuestView(GuestView&&) = default;
  GuestView& operator=(GuestView&&) = delete;
  GuestView(const GuestView&) = delete;
  GuestView& operator=(const GuestView&) = delete;
  // Removes the glue directories.
  ~GuestView();

  [[nodiscard]] xlate::MountTable table() const { return {mounts_.data(), mounts_.size()}; }
  [[nodiscard]] bool any_read_only() const;

 private:
  GuestView() = default;
  Result<> add_bind(const container::Bind& bind);
  Result<std::string> settle(const std::string& guest);
  Result<> add_glue(const std::string& guest, const std::string& host, std::size_t mount);
  Result<std::string> glue_directory();
  void put(const std::string& guest, const std::string& host, xlate::MountKind kind, bool read_only,
           bool listed = true);

  std::deque<std::string> texts_;  // what the mounts refer to
  std::vector<xlate::Mount> mounts_;
  std::string glue_;  // the directory of this run, "" until one is needed
  unsigned glue_count_ = 0;
};

}  // namespace udk::engine
