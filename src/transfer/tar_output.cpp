#include "transfer/tar_output.hpp"

#include <poll.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace udk::transfer {
namespace {

constexpr std::uint64_t k_step = std::uint64_t{8} << 20;  // between two looks at whether to go on
constexpr std::size_t k_buffer = std::size_t{256} << 10;

Unexpected write_failure(int err) { return fail(sys_error(err, "write").context("cannot write the archive")); }

}  // namespace

TarOutput::TarOutput(int fd, Cancelled cancelled) : fd_(fd), cancelled_(std::move(cancelled)), buffer_(k_buffer) {}

Result<> TarOutput::member(const archive::Member& member) {
  head_.clear();
  archive::append_header(head_, member);
  return put(as_bytes(head_));
}

Result<> TarOutput::file(const archive::Member& member, int from) {
  TRY(this->member(member));
  return copy(from, member.size);
}

Result<> TarOutput::sparse_file(const archive::Member& member, int from, std::span<const FileExtent> extents) {
  head_.clear();
  archive::append_sparse_header(head_, member, extents);
  TRY(put(as_bytes(head_)));
  std::uint64_t stored = 0;
  for (const FileExtent& extent : extents) {
    if (::lseek(from, static_cast<off_t>(extent.offset), SEEK_SET) < 0) return fail_errno(errno, "seek");
    TRY(read_to_buffer(from, extent.size));
    stored += extent.size;
  }
  constexpr std::array<std::byte, archive::k_tar_block> zeros{};
  return put(Bytes(zeros).first(archive::padding_after(stored)));
}

Result<> TarOutput::text(const archive::Member& member, std::string_view content) {
  TRY(this->member(member));
  TRY(put(as_bytes(content)));
  constexpr std::array<std::byte, archive::k_tar_block> zeros{};
  return put(Bytes(zeros).first(archive::padding_after(content.size())));
}

Result<> TarOutput::finish() {
  constexpr std::array<std::byte, 2 * archive::k_tar_block> zeros{};
  TRY(put(zeros));
  return flush();
}

Result<> TarOutput::put(Bytes data) {
  while (!data.empty()) {
    if (used_ == buffer_.size()) TRY(flush());
    const auto piece = data.first(std::min(data.size(), buffer_.size() - used_));
    std::memcpy(buffer_.data() + used_, piece.data(), piece.size());
    used_ += piece.size();
    data = data.subspan(piece.size());
  }
  return {};
}

Result<> TarOutput::flush() { return write(Bytes(buffer_).first(std::exchange(used_, 0))); }

Result<> TarOutput::write(Bytes data) {
  TRY(check_cancelled());
  while (!data.empty()) {
    const auto put = ::write(fd_, data.data(), data.size());
    if (put >= 0) {
      data = data.subspan(static_cast<std::size_t>(put));
    } else if (errno == EINTR) {
      TRY(check_cancelled());
    } else if (errno == EAGAIN) {
      struct pollfd wait {
        fd_, POLLOUT, 0
      };
      (void)::poll(&wait, 1, -1);
      TRY(check_cancelled());
    } else {
      return write_failure(errno);
    }
  }
  return {};
}

Result<> TarOutput::copy(int from, std::uint64_t size) {
  TRY(size > buffer_.size() ? send(from, size) : read_to_buffer(from, size));
  constexpr std::array<std::byte, archive::k_tar_block> zeros{};
  return put(Bytes(zeros).first(archive::padding_after(size)));
}

Result<> TarOutput::read_to_buffer(int from, std::uint64_t size) {
  while (size != 0) {
    if (used_ == buffer_.size()) TRY(flush());
    const std::size_t room = std::min<std::uint64_t>(size, buffer_.size() - used_);
    const auto got = ::read(from, buffer_.data() + used_, room);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "read");
    if (got == 0) return fail(Code::corrupt, "it became shorter while it was read");
    used_ += static_cast<std::size_t>(got);
    size -= static_cast<std::uint64_t>(got);
  }
  return {};
}

// By the kernel, without a copy in our memory.
Result<> TarOutput::send(int from, std::uint64_t size) {
  TRY(flush());
  while (size != 0) {
    TRY(check_cancelled());
    const auto sent = ::sendfile(fd_, from, nullptr, static_cast<std::size_t>(std::min(size, k_step)));
    if (sent > 0) {
      size -= static_cast<std::uint64_t>(sent);
    } else if (sent == 0) {
      return fail(Code::corrupt, "it became shorter while it was read");
    } else if (errno == EINVAL || errno == ENOSYS || errno == EAGAIN) {
      return read_to_buffer(from, size);  // as of files that are appended to
    } else if (errno != EINTR) {
      return write_failure(errno);
    }
  }
  return {};
}

Result<> TarOutput::check_cancelled() const {
  if (cancelled_ && cancelled_()) return fail_errno(EINTR, "writing the archive");
  return {};
}

}  // namespace udk::transfer
