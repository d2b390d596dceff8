#include "archive/tar_sparse.hpp"

#include "archive/tar_header.hpp"

namespace udk::archive {
namespace {

constexpr std::size_t k_pair = 24;
constexpr std::size_t k_number = 12;
constexpr std::uint64_t k_most_pieces = std::uint64_t{1} << 20;

// False: an empty pair, the last one.
Result<bool> take_pair(std::span<const std::byte> pair, std::vector<SparsePiece>& pieces) {
  if (pair[0] == std::byte{0}) return false;
  auto offset = parse_tar_number(pair.first(k_number));
  auto size = parse_tar_number(pair.last(k_number));
  if (!offset || !size || *offset < 0 || *size < 0) return tar_damage("no valid map of a sparse file");
  pieces.push_back({static_cast<std::uint64_t>(*offset), static_cast<std::uint64_t>(*size)});
  return true;
}

Result<bool> take_pairs(TarBlock block, std::size_t first, std::size_t count, std::size_t flag,
                        std::vector<SparsePiece>& pieces) {
  for (std::size_t i = 0; i < count; ++i) {
    TRY_ASSIGN(bool taken, take_pair(block.subspan(first + i * k_pair, k_pair), pieces));
    if (!taken) break;
  }
  return block[flag] != std::byte{0};
}

}  // namespace

Result<> check_pieces(const std::vector<SparsePiece>& pieces, std::uint64_t file_size, std::uint64_t stored_size) {
  std::uint64_t end = 0;
  std::uint64_t sum = 0;
  for (const SparsePiece& piece : pieces) {
    if (piece.offset < end || piece.offset > file_size || piece.size > file_size - piece.offset)
      return tar_damage("the pieces of a sparse file overlap or lie outside");
    end = piece.offset + piece.size;
    sum += piece.size;
  }
  if (sum != stored_size) return tar_damage("the pieces of a sparse file are not as long as its content");
  return {};
}

Result<bool> take_old_pieces(TarBlock header, std::vector<SparsePiece>& pieces) {
  return take_pairs(header, 386, 4, 482, pieces);
}

Result<bool> take_more_old_pieces(TarBlock block, std::vector<SparsePiece>& pieces) {
  return take_pairs(block, 0, 21, 504, pieces);
}

Result<> SparseMapText::feed(TarBlock block) {
  for (std::byte byte : block) {
    const char c = static_cast<char>(byte);
    if (complete()) return {};
    if (c == '\n') {
      TRY(end_of_line());
      continue;
    }
    if (c < '0' || c > '9' || number_ > (UINT64_MAX - 9) / 10) return tar_damage("no valid map of a sparse file");
    number_ = number_ * 10 + static_cast<std::uint64_t>(c - '0');
    has_digits_ = true;
  }
  return {};
}

Result<> SparseMapText::end_of_line() {
  if (!has_digits_) return tar_damage("no valid map of a sparse file");
  if (count_known_) {
    numbers_.push_back(number_);
  } else {
    if (number_ > k_most_pieces) return tar_damage("a sparse file has too many pieces");
    count_ = number_;
    count_known_ = true;
  }
  number_ = 0;
  has_digits_ = false;
  return {};
}

std::vector<SparsePiece> SparseMapText::pieces() const {
  std::vector<SparsePiece> out;
  for (std::size_t i = 0; i + 1 < numbers_.size(); i += 2) out.push_back({numbers_[i], numbers_[i + 1]});
  return out;
}

}  // namespace udk::archive
