#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "archive/tar_writer.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "transfer/input.hpp"

namespace udk::transfer {

// Writes a tar archive to a file or pipe.
class TarOutput {
 public:
  TarOutput(int fd, Cancelled cancelled);

  // A member without content.
  Result<> member(const archive::Member& member);
  // A file, of which the open file `from` must have `member.size` bytes from its begin.
  Result<> file(const archive::Member& member, int from);
  // A file with holes.
  Result<> sparse_file(const archive::Member& member, int from, std::span<const FileExtent> extents);
  Result<> text(const archive::Member& member, std::string_view content);
  // The end of the archive; all of it is written then.
  Result<> finish();

 private:
  Result<> put(Bytes data);
  Result<> flush();
  Result<> write(Bytes data);
  Result<> copy(int from, std::uint64_t size);
  Result<> read_to_buffer(int from, std::uint64_t size);
  Result<> send(int from, std::uint64_t size);
  [[nodiscard]] Result<> check_cancelled() const;

  int fd_;
  Cancelled cancelled_;
  std::vector<std::byte> buffer_;
  std::size_t used_ = 0;
  std::string head_;
};

}  // namespace udk::transfer
