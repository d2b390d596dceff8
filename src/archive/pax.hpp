#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace udk::archive {

// A run of content in a file with holes.
struct SparsePiece {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// What an extended header (POSIX pax, "pax Extended Header"; GNU tar manual, "Storing Sparse Files") says of the member
// that follows, as far as it is used here.
struct PaxAttributes {
  std::optional<std::string> path;
  std::optional<std::string> link;
  std::optional<std::uint64_t> size;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::optional<timespec> mtime;
  // Sparse files: 0.0 and 0.1 list the pieces here, 1.0 at the begin of the content.
  std::optional<std::uint64_t> sparse_size;
  std::optional<std::string> sparse_name;
  std::vector<SparsePiece> pieces;
  bool has_pieces = false;
  bool has_map_in_content = false;

  // Adds the records of one header. Code::corrupt.
  Result<> parse(std::string_view records);
  void clear() { *this = {}; }

 private:
  Result<> take(std::string_view key, std::string_view value);
  Result<> take_sparse(std::string_view key, std::string_view value);
};

// "O,N,O,N,..." or, with another separator, a list of numbers; nullopt if it is none.
std::optional<std::vector<std::uint64_t>> parse_number_list(std::string_view text, char separator);

}  // namespace udk::archive
