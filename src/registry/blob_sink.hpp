#pragma once

#include <cstdint>

#include "base/file.hpp"
#include "base/result.hpp"

namespace udk::registry {

// Where the bytes of one blob go. The owner hashes and stores; the registry client only delivers, in order, from
// offset() on. All calls come from the thread that called Client::fetch_blobs.
class BlobSink {
 public:
  BlobSink() = default;
  BlobSink(const BlobSink&) = delete;
  BlobSink& operator=(const BlobSink&) = delete;
  virtual ~BlobSink() = default;

  // Bytes that are already there, from an earlier try or an earlier process: the download goes on after them.
  [[nodiscard]] virtual std::uint64_t offset() const = 0;
  // Appends. An error ends the whole fetch with it (disk full, for example).
  virtual Result<> write(Bytes data) = 0;
  // Drops everything: offset() is 0 afterwards.
  virtual Result<> restart() = 0;
};

}  // namespace udk::registry
