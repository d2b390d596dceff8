#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.hpp"
#include "base/result.hpp"
#include "image/digest.hpp"
#include "store/intake.hpp"
#include "store/lock.hpp"

namespace udk::store {

struct Context;

// A blob on its way into the store. What was written stays on the disk when the object ends before commit(), all but
// the last 256 KiB even when the process is killed, and the next StagedBlob of the same digest goes on from there; only
// a full disk removes it at once. It holds a lock: nobody else writes it.
class StagedBlob {
 public:
  StagedBlob(StagedBlob&&) noexcept;
  StagedBlob& operator=(StagedBlob&&) noexcept;
  ~StagedBlob();

  [[nodiscard]] const image::Digest& digest() const;
  // Bytes that are there already, from this or an earlier run; the next write() goes behind them.
  [[nodiscard]] std::uint64_t offset() const;
  // Appends. Code::corrupt as soon as there is more than the expected size; Code::no_space and the like from the disk.
  Result<> write(Bytes data);
  // Forgets all that was written: the data starts anew at offset 0.
  Result<> restart();
  // Size and digest are right: the blob gets its final name, on the disk for good. Otherwise Code::corrupt and the data
  // is thrown away. The object is used up in both cases.
  Result<> commit();

 private:
  friend class Blobs;
  struct State;
  explicit StagedBlob(std::unique_ptr<State> state);
  static Result<StagedBlob> open(const Context& context, const image::Digest& digest, std::optional<std::uint64_t> size,
                                 Lock lock);
  std::unique_ptr<State> state_;
};

// What stage() does while another process holds the same blob.
enum class IfHeld { wait, fail };

// The directory `layers`: content under the name of its digest.
class Blobs {
 public:
  explicit Blobs(std::shared_ptr<const Context> context) : context_(std::move(context)) {}

  [[nodiscard]] std::string path(const image::Digest& digest) const;
  // A regular file of that name and, if given, that size is there. Cheap: the content is not read.
  [[nodiscard]] bool has(const image::Digest& digest, std::optional<std::uint64_t> size = {}) const;
  // Reads all of it. Code::not_found, or Code::corrupt if the content is not what the name says.
  Result<> verify(const image::Digest& digest) const;
  // Same for any file, e.g. one that a link of an image points to.
  static Result<> verify_file(const std::string& path, const image::Digest& digest);

  // Starts or resumes. nullopt: the blob is there with the right content (which is read to know that), perhaps since
  // another process finished it while this one waited. A file of that name with other content will be replaced.
  // `size` is the size that the manifest promises. IfHeld::fail: Code::busy at once. Two processes that fetch several
  // blobs at a time would wait for each other for ever, and a process that stages one digest twice for itself: use
  // IfHeld::wait only while holding no other StagedBlob.
  Result<std::optional<StagedBlob>> stage(const image::Digest& digest, std::optional<std::uint64_t> size,
                                          IfHeld if_held = IfHeld::wait) const;
  // For content whose digest is not known yet.
  Result<Intake> receive() const;
  // Content that is in memory already.
  Result<> add(const image::Digest& digest, std::string_view content) const;

 private:
  std::shared_ptr<const Context> context_;
};

}  // namespace udk::store
