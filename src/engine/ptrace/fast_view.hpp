#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "engine/ptrace/guest_view.hpp"
#include "guest/layout.hpp"
#include "xlate/resolve.hpp"

namespace udk::engine {

struct Belief;

// What guests are told so that they can answer calls about files themselves (guest::View): memory that they can read
// and only the tracer writes.
class FastView {
 public:
  struct Ids {
    bool emulated = false;
    uid_t host_uid = 0;
    gid_t host_gid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
  };
  // An error: guests cannot be told anything on this host.
  static Result<FastView> create(const GuestView& view, const Ids& ids);
  FastView(FastView&& other) noexcept;
  FastView(const FastView&) = delete;
  FastView& operator=(FastView&&) = delete;
  ~FastView();

  [[nodiscard]] const std::string& path() const { return path_; }  // where guests open it

  // Whether guests know of this directory, and will for a while.
  [[nodiscard]] bool knows(std::string_view given) const;
  // The directory that guests call `given` is at `host`; `links`: links lie on the way to it.
  void publish(std::string_view given, std::string_view host, bool links);
  // A name was taken away, or (`moved`) made or changed in a way that can lead paths elsewhere.
  void name_changed(bool moved);
  // Something is believed of this file.
  void believe(dev_t device, ino_t inode);
  // A file of which something is believed will come, and is not known yet.
  void set_pending(bool pending) { view_->pending = pending ? 1 : 0; }
  [[nodiscard]] bool pending() const { return view_->pending != 0; }

 private:
  FastView() = default;
  [[nodiscard]] std::uint64_t deadline() const;

  Fd file_;
  std::string path_;
  guest::View* view_ = nullptr;
  std::uint64_t first_ticks_ = 0, first_time_ = 0;  // of the counter; nanoseconds
};

}  // namespace udk::engine
