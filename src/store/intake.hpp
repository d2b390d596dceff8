#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "archive/limits.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"
#include "image/digest.hpp"

namespace udk::store {

struct Context;

// A file that was received whole.
struct ReceivedFile {
  std::string path;
  std::uint64_t size = 0;
  image::Digest digest;
};

// Content on its way into the store whose digest is known at its end only: that of an archive which is loaded or
// imported. It lies in a directory of its own and goes away with the object; after a kill the next change of the
// repository removes it.
class Intake {
  struct State;

 public:
  Intake(Intake&&) noexcept;
  Intake& operator=(Intake&&) noexcept;
  ~Intake();

  // A file that is being written.
  class File {
   public:
    // Code::no_space and the like from the disk.
    Result<> write(Bytes data);
    Result<ReceivedFile> finish();
    // For content that was hashed elsewhere.
    Result<ReceivedFile> finish_as(image::Digest digest);

   private:
    friend class Intake;
    File(State& state, std::string path, Fd fd) : state_(&state), path_(std::move(path)), fd_(std::move(fd)) {}
    State* state_;  // of the Intake, which outlives the file
    std::string path_;
    Fd fd_;
    std::optional<Hasher> hasher_;
    HashKind kind_ = HashKind::sha256;
    std::uint64_t size_ = 0;
  };
  // Code::no_space if so much does not go into it.
  [[nodiscard]] Result<> check_room(const archive::Limits& limits, std::uint64_t bytes) const;
  // Hashed while it is written, unless `kind` is none: then to be ended by finish_as.
  Result<File> open(std::optional<HashKind> kind = HashKind::sha256);
  // A file from elsewhere, by a second link, so that it is not lost if what follows fails. Code::unsupported if that is
  // not possible, or others could change the file.
  Result<ReceivedFile> link_in(const std::string& path, image::Digest digest);
  // A small one.
  Result<ReceivedFile> add(std::string_view content);

  // The file becomes the blob of its digest, on the disk for good. An image draft has claimed it.
  Result<> commit(const ReceivedFile& file);

 private:
  friend class Blobs;
  explicit Intake(std::unique_ptr<State> state);
  static Result<Intake> make(const std::shared_ptr<const Context>& context);
  void release();
  std::string next_path();
  std::unique_ptr<State> state_;
};

}  // namespace udk::store
