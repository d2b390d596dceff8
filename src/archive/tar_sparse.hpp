#pragma once

#include <cstdint>
#include <vector>

#include "archive/pax.hpp"
#include "archive/tar_block.hpp"
#include "base/result.hpp"

// Where the content of files with holes belongs (GNU tar manual, "Storing Sparse Files").
namespace udk::archive {

// Pieces ascend, do not overlap, end within `file_size`, and together are `stored_size` long. Code::corrupt.
Result<> check_pieces(const std::vector<SparsePiece>& pieces, std::uint64_t file_size, std::uint64_t stored_size);

// The pairs in a header of type 'S' and in the blocks that extend it. True: another block follows.
Result<bool> take_old_pieces(TarBlock header, std::vector<SparsePiece>& pieces);
Result<bool> take_more_old_pieces(TarBlock block, std::vector<SparsePiece>& pieces);

// The map at the begin of the content, version 1.0: decimal numbers, one a line, how many pairs first. Fed block by
// block; complete() once all are there, the rest of that block is padding.
class SparseMapText {
 public:
  Result<> feed(TarBlock block);
  [[nodiscard]] bool complete() const { return count_known_ && numbers_.size() == count_ * 2; }
  [[nodiscard]] std::vector<SparsePiece> pieces() const;

 private:
  Result<> end_of_line();

  std::uint64_t number_ = 0;
  bool has_digits_ = false;
  bool count_known_ = false;
  std::uint64_t count_ = 0;
  std::vector<std::uint64_t> numbers_;
};

}  // namespace udk::archive
