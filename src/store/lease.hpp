#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "store/lock.hpp"

// The part of Lock for file systems without a dependable flock(2); not for other users.
namespace udk::store {

// A lease: the symlink NAME.lease, whose text says who holds it; its time is renewed. Shared holders have a link
// NAME.share-RANDOM each, made while NAME.lease is held for a moment; an exclusive holder waits until there is none.
class Lease {
 public:
  // nullopt: somebody else holds it; `holder` then says who ("process 4711 on node7").
  static Result<std::optional<Lease>> try_acquire(const std::string& dir, const std::string& name, LockMode mode,
                                                  std::string& holder);

  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease();

  Result<> renew();
  [[nodiscard]] bool taken_over() const { return taken_over_; }

 private:
  Lease(std::string path, Fd fd, bool taken_over)
      : path_(std::move(path)), fd_(std::move(fd)), taken_over_(taken_over) {}
  [[nodiscard]] bool is_ours() const;
  void release();

  std::string path_;  // "" when released
  Fd fd_;             // keeps the inode number ours
  bool taken_over_ = false;
  std::chrono::steady_clock::time_point renewed_ = std::chrono::steady_clock::now();
};

}  // namespace udk::store
