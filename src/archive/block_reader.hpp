#pragma once

#include <memory>
#include <span>

#include "archive/layer_stream.hpp"
#include "base/result.hpp"

namespace udk::archive {

// The plain bytes of an archive, block by block. Every block but the last is a multiple of 512 bytes, so that a tar
// header never lies on an edge.
class BlockReader {
 public:
  BlockReader() = default;
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;
  virtual ~BlockReader() = default;
  // Empty at the end. Valid until the next call.
  virtual Result<std::span<const std::byte>> next() = 0;
};

// In the calling thread.
std::unique_ptr<BlockReader> read_blocks(LayerStream& stream);
// A second thread keeps some blocks ahead. The stream belongs to it until the end or an error was returned, or the
// object is destroyed.
std::unique_ptr<BlockReader> read_blocks_ahead(LayerStream& stream);

}  // namespace udk::archive
