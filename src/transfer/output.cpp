#include "transfer/output.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/random.hpp"

namespace udk::transfer {
namespace {

constexpr std::uint64_t k_step = std::uint64_t{8} << 20;  // between two looks at whether to go on
constexpr std::size_t k_buffer = std::size_t{256} << 10;
// Always the same, so that an image gives the same archive each time; 0 makes GNU tar complain.
constexpr std::int64_t k_mtime = 1;

std::string directory_of(const std::string& path) {
  return path.find('/') == std::string::npos ? "." : std::string(path_dirname(path));
}

Error cannot_write(Error error) { return std::move(error).context("cannot write the archive"); }

// Where sendfile(2) does not work, as to files that are appended to. 0 is the end of the file.
Result<std::size_t> copy_by_hand(int from, int to, std::size_t size) {
  std::vector<std::byte> buffer(std::min(size, k_buffer));
  const auto got = ::read(from, buffer.data(), buffer.size());
  if (got < 0) return fail_errno(errno, "read");
  auto done = write_all(to, Bytes(buffer).first(static_cast<std::size_t>(got)));
  if (!done) return fail(cannot_write(std::move(done).error()));
  return static_cast<std::size_t>(got);
}

Result<std::size_t> copy_some(int from, int to, std::size_t size) {
  const auto sent = ::sendfile(to, from, nullptr, size);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EINVAL || errno == ENOSYS || errno == EAGAIN || errno == EINTR) return copy_by_hand(from, to, size);
  return fail(cannot_write(sys_error(errno, "write")));
}

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& path) {
  TRY_ASSIGN(auto there, lstat_at(AT_FDCWD, path));
  if (there) return fail(Code::exists, "output file already exists: " + path);
  if (auto nameless = open_at(AT_FDCWD, directory_of(path), O_TMPFILE | O_WRONLY, 0666))
    return OutputFile(path, "", std::move(*nameless));
  std::string staged = path + ".new-" + random_hex(6);
  auto fd = open_at(AT_FDCWD, staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
  if (!fd) return fail(std::move(fd).error().context("cannot make " + path));
  return OutputFile(path, std::move(staged), std::move(*fd));
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)), staged_(std::exchange(other.staged_, "")), fd_(std::move(other.fd_)) {}

OutputFile::~OutputFile() {
  if (!staged_.empty()) (void)unlink_at(AT_FDCWD, staged_);
}

Result<> OutputFile::publish() {
  if (auto done = sync_fd(fd_.get()); !done) return fail(std::move(done).error().context(path_));
  // A link, not a rename: a file that has come meanwhile stays.
  const std::string source = staged_.empty() ? "/proc/self/fd/" + std::to_string(fd_.get()) : staged_;
  if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
  if (errno == EEXIST) return fail(Code::exists, "output file already exists: " + path_);
  if (staged_.empty()) return fail_errno(errno, path_);
  // A file system without links.
  TRY(rename_at(AT_FDCWD, staged_, AT_FDCWD, path_));
  staged_.clear();
  return {};
}

Result<> TarOutput::header(const archive::PlainMember& member) {
  if (cancelled_ && cancelled_()) return fail_errno(EINTR, "writing the archive");
  auto done = write_all(fd_, archive::plain_header(member));
  if (!done) return fail(cannot_write(std::move(done).error()));
  return {};
}

Result<> TarOutput::pad(std::uint64_t size) {
  constexpr std::array<std::byte, archive::k_tar_block> zeros{};
  auto done = write_all(fd_, Bytes(zeros).first(archive::padding_after(size)));
  if (!done) return fail(cannot_write(std::move(done).error()));
  return {};
}

Result<> TarOutput::directory(const std::string& name) {
  return header({archive::PlainType::directory, name + "/", "", 0, k_mtime});
}

Result<> TarOutput::hard_link(const std::string& name, const std::string& target) {
  return header({archive::PlainType::hard_link, name, target, 0, k_mtime});
}

Result<> TarOutput::text(const std::string& name, std::string_view content) {
  TRY(header({archive::PlainType::file, name, "", content.size(), k_mtime}));
  auto done = write_all(fd_, as_bytes(content));
  if (!done) return fail(cannot_write(std::move(done).error()));
  return pad(content.size());
}

Result<> TarOutput::file(const std::string& name, const std::string& path, std::uint64_t size) {
  TRY_ASSIGN(Fd from, open_at(AT_FDCWD, path, O_RDONLY));
  TRY(header({archive::PlainType::file, name, "", size, k_mtime}));
  if (auto done = copy(from.get(), size); !done) return fail(std::move(done).error().context(path));
  return pad(size);
}

Result<> TarOutput::copy(int from, std::uint64_t size) {
  while (size != 0) {
    if (cancelled_ && cancelled_()) return fail_errno(EINTR, "writing the archive");
    TRY_ASSIGN(std::size_t got, copy_some(from, fd_, static_cast<std::size_t>(std::min(size, k_step))));
    if (got == 0) return fail(Code::corrupt, "it is shorter than it was");
    size -= got;
  }
  return {};
}

Result<> TarOutput::finish() {
  constexpr std::array<std::byte, 2 * archive::k_tar_block> zeros{};
  auto done = write_all(fd_, zeros);
  if (!done) return fail(cannot_write(std::move(done).error()));
  return {};
}

}  // namespace udk::transfer
