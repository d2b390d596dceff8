#include "archive/tar_reader.hpp"

#include <algorithm>

#include "archive/tar_sparse.hpp"

namespace udk::archive {
namespace {

std::uint64_t padding_of(std::uint64_t size) { return (k_tar_block - size % k_tar_block) % k_tar_block; }

EntryType type_of(char type, std::string_view path) {
  switch (type) {
    case '1':
      return EntryType::hardlink;
    case '2':
      return EntryType::symlink;
    case '3':
    case '4':
      return EntryType::device;
    case '5':
    case 'D':  // GNU: a directory with a list of its names as content
      return EntryType::directory;
    case '6':
      return EntryType::fifo;
    default:
      // Unknown types are files (POSIX). Old programs marked a directory by a slash alone.
      return path.ends_with('/') ? EntryType::directory : EntryType::file;
  }
}

bool has_content(char type) { return type < '1' || type > '6'; }

}  // namespace

Result<const TarEntry*> TarReader::next() {
  if (ended_) return nullptr;
  TRY(skip(left_));
  TRY(skip(padding_));
  left_ = padding_ = extended_ = 0;
  pax_.clear();
  long_path_.reset();
  long_link_.reset();
  for (;;) {
    TRY_ASSIGN(auto block, take_block());
    if (!block || is_zero_block(*block)) {
      if (block) TRY(end_of_archive());
      if (extended_ != 0) return tar_damage("an extended header without a member");
      ended_ = true;
      return nullptr;
    }
    if (!has_valid_checksum(*block)) return tar_damage("a header with a wrong checksum");
    TarHeader header(*block);
    TRY_ASSIGN(bool is_extension, read_extension(header));
    if (is_extension) continue;
    TRY(read_member(header, *block));
    return &entry_;
  }
}

// Sees to it that block_ is empty at the end of the stream only.
Result<> TarReader::refill() {
  if (!block_.empty()) return {};
  TRY_ASSIGN(block_, blocks_.next());
  return {};
}

// nullopt at the end of the stream.
Result<std::optional<TarBlock>> TarReader::take_block() {
  TRY(refill());
  if (block_.empty()) return std::nullopt;
  if (block_.size() < k_tar_block) return tar_damage("it is cut off");
  TarBlock taken = block_.first<k_tar_block>();
  block_ = block_.subspan(k_tar_block);
  return taken;
}

Result<TarBlock> TarReader::take_block_of_content() {
  TRY_ASSIGN(auto block, take_block());
  if (!block) return tar_damage("it is cut off");
  return *block;
}

Result<> TarReader::skip(std::uint64_t size) {
  while (size != 0) {
    TRY(refill());
    if (block_.empty()) return tar_damage("it is cut off");
    auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size, block_.size()));
    block_ = block_.subspan(part);
    size -= part;
  }
  return {};
}

// One zero block was read; a second one ends the archive, and so does the end of the stream.
Result<> TarReader::end_of_archive() {
  TRY_ASSIGN(auto block, take_block());
  if (block && !is_zero_block(*block)) return tar_damage("a zero block between two members");
  return {};
}

Result<> TarReader::count_extended(std::uint64_t size) {
  if (size > max_extended_ || extended_ + size > max_extended_)
    return fail(Code::corrupt, "the tar archive has an extended header of more than the " +
                                   std::to_string(max_extended_) + " bytes allowed");
  extended_ += size;
  return {};
}

Result<std::string> TarReader::read_body(std::uint64_t size) {
  TRY(count_extended(size));
  std::string body;
  while (body.size() < size) {
    TRY_ASSIGN(TarBlock block, take_block_of_content());
    body.append(reinterpret_cast<const char*>(block.data()),
                static_cast<std::size_t>(std::min<std::uint64_t>(k_tar_block, size - body.size())));
  }
  return body;
}

// Members that only tell something of the next one; false for all others.
Result<bool> TarReader::read_extension(const TarHeader& header) {
  const char type = header.type();
  constexpr std::string_view known = "xXgLKV";
  if (known.find(type) == std::string_view::npos) return false;
  TRY_ASSIGN(std::uint64_t size, header.size());
  TRY_ASSIGN(std::string body, read_body(size));
  // An empty one is one all the same.
  extended_ = std::max<std::uint64_t>(extended_, type == 'g' || type == 'V' ? 0 : 1);
  if (type == 'x' || type == 'X') TRY(pax_.parse(body));
  if (type == 'L') long_path_ = body.substr(0, body.find('\0'));
  if (type == 'K') long_link_ = body.substr(0, body.find('\0'));
  return true;
}

Result<> TarReader::read_member(const TarHeader& header, TarBlock block) {
  const char type = header.type();
  if (type == 'M') return tar_damage("it is a part of an archive of several volumes");
  TRY(set_names(header));
  TRY(set_numbers(header));
  entry_.type = type_of(type, path_);
  entry_.size = entry_.stored_size = 0;
  sparse_ = false;
  offset_ = 0;
  if (!has_content(type)) return {};
  TRY_ASSIGN(left_, pax_.size ? Result<std::uint64_t>(*pax_.size) : header.size());
  // Beyond it sums of sizes and offsets could overflow; no file is that long.
  if (left_ > static_cast<std::uint64_t>(INT64_MAX) - k_tar_block) return tar_damage("no valid size of " + path_);
  padding_ = padding_of(left_);
  if (entry_.type != EntryType::file) return {};
  entry_.size = entry_.stored_size = left_;
  if (type == 'S') return read_old_sparse(header, block);
  if (pax_.has_map_in_content || pax_.has_pieces) return read_sparse_map();
  return {};
}

Result<> TarReader::set_names(const TarHeader& header) {
  if (pax_.sparse_name)
    path_ = std::move(*pax_.sparse_name);
  else if (pax_.path)
    path_ = std::move(*pax_.path);
  else if (long_path_)
    path_ = std::move(*long_path_);
  else
    path_ = header.name();
  if (pax_.link)
    link_ = std::move(*pax_.link);
  else if (long_link_)
    link_ = std::move(*long_link_);
  else
    link_ = header.link();
  entry_.path = path_;
  entry_.link = link_;
  return {};
}

Result<> TarReader::set_numbers(const TarHeader& header) {
  TRY_ASSIGN(entry_.mode, header.mode());
  TRY_ASSIGN(entry_.uid, pax_.uid ? Result<std::uint32_t>(*pax_.uid) : header.uid());
  TRY_ASSIGN(entry_.gid, pax_.gid ? Result<std::uint32_t>(*pax_.gid) : header.gid());
  if (pax_.mtime) {
    entry_.mtime = *pax_.mtime;
  } else {
    TRY_ASSIGN(std::int64_t seconds, header.mtime());
    entry_.mtime = {seconds, 0};
  }
  return {};
}

Result<> TarReader::read_old_sparse(const TarHeader& header, TarBlock block) {
  sparse_ = true;
  piece_ = 0;
  pieces_.clear();
  TRY_ASSIGN(entry_.size, header.sparse_size());
  TRY_ASSIGN(bool more, take_old_pieces(block, pieces_));
  while (more) {
    TRY(count_extended(k_tar_block));
    TRY_ASSIGN(TarBlock extension, take_block_of_content());
    TRY_ASSIGN(more, take_more_old_pieces(extension, pieces_));
  }
  return check_pieces(pieces_, entry_.size, left_);
}

Result<> TarReader::read_sparse_map() {
  sparse_ = true;
  piece_ = 0;
  entry_.size = pax_.sparse_size.value_or(left_);
  pieces_ = std::move(pax_.pieces);
  if (pax_.has_map_in_content) {
    SparseMapText map;
    while (!map.complete()) {
      TRY(count_extended(k_tar_block));
      if (left_ < k_tar_block) return tar_damage("the map of a sparse file is cut off");
      TRY_ASSIGN(TarBlock block, take_block_of_content());
      left_ -= k_tar_block;
      TRY(map.feed(block));
    }
    pieces_ = map.pieces();
  }
  return check_pieces(pieces_, entry_.size, left_);
}

Result<TarData> TarReader::data() {
  if (left_ == 0) return TarData{entry_.size, {}};
  std::uint64_t wanted = left_;
  if (sparse_) {
    // check_pieces saw to it that the pieces are as long as the content.
    while (pieces_[piece_].size == 0) ++piece_;
    offset_ = pieces_[piece_].offset;
    wanted = pieces_[piece_].size;
  }
  TRY(refill());
  if (block_.empty()) return tar_damage("it is cut off");
  TarData found{offset_, block_.first(static_cast<std::size_t>(std::min<std::uint64_t>(wanted, block_.size())))};
  const std::size_t size = found.bytes.size();
  block_ = block_.subspan(size);
  left_ -= size;
  offset_ += size;
  if (sparse_) {
    pieces_[piece_].offset += size;
    pieces_[piece_].size -= size;
  }
  return found;
}

Result<> TarReader::drain() {
  do {
    TRY_ASSIGN(block_, blocks_.next());
  } while (!block_.empty());
  return {};
}

}  // namespace udk::archive
