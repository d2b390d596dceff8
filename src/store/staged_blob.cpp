#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "base/path.hpp"
#include "store/blobs.hpp"
#include "store/context.hpp"
#include "store/hash_file.hpp"

namespace udk::store {
namespace {

// How much is handed to the disk at a time, so that the fsync of commit() finds little left to do.
constexpr std::uint64_t k_flush_step = std::uint64_t{8} << 20;
// The network delivers pieces of 16 KiB at most; so many small writes cost more than their bytes' hash.
constexpr std::size_t k_write_size = std::size_t{256} << 10;

Error mismatch(const image::Digest& digest, const std::string& what) {
  return {Code::corrupt, "blob " + digest.short_text() + ": " + what + ": thrown away, pull again"};
}

}  // namespace

struct StagedBlob::State {
  image::Digest digest;
  std::optional<std::uint64_t> size;  // as promised
  std::string partial;                // path of the file being written
  std::string layers;                 // where it goes
  std::optional<Lock> lock;           // none once it is used up
  Fd fd;
  Hasher hasher;             // of what is in the file
  std::uint64_t offset = 0;  // where the file ends
  std::uint64_t flushed = 0;
  std::vector<std::byte> gathered = {};  // for the next write to the file

  [[nodiscard]] std::uint64_t end() const { return offset + gathered.size(); }

  Result<> clear() {
    gathered.clear();
    if (::ftruncate(fd.get(), 0) != 0 || ::lseek(fd.get(), 0, SEEK_SET) != 0) return fail_errno(errno, partial);
    hasher = Hasher(digest.kind());
    offset = flushed = 0;
    return {};
  }

  Result<> gather(Bytes data) {
    while (!data.empty()) {
      // Writes that begin and end at multiples of their size suit the page cache best.
      auto part = data.first(std::min(data.size(), k_write_size - static_cast<std::size_t>(end() % k_write_size)));
      gathered.insert(gathered.end(), part.begin(), part.end());
      data = data.subspan(part.size());
      if (end() % k_write_size == 0) TRY(write_gathered());
    }
    return {};
  }

  Result<> write_gathered() {
    if (auto put = write_all(fd.get(), gathered); !put) return give_up(std::move(put).error());
    hasher.update(gathered);
    offset += gathered.size();
    gathered.clear();
    if (offset - flushed < k_flush_step) return {};
    // Only starts the writing; a file system that cannot is none the worse.
    (void)::sync_file_range(fd.get(), static_cast<off_t>(flushed), static_cast<off_t>(offset - flushed),
                            SYNC_FILE_RANGE_WRITE);
    flushed = offset;
    return {};
  }

  // For a later run.
  void keep() {
    if (fd) (void)write_all(fd.get(), gathered);
    finish();
  }

  void finish() {
    gathered.clear();
    fd.reset();
    lock.reset();
  }

  // What stays behind is what offset says. A full disk is not kept full by data that nobody can use.
  Unexpected give_up(Error error) {
    gathered.clear();
    bool full = error.code == Code::no_space;
    if (full) (void)unlink_at(AT_FDCWD, partial);
    if (full || ::ftruncate(fd.get(), static_cast<off_t>(offset)) != 0 ||
        ::lseek(fd.get(), static_cast<off_t>(offset), SEEK_SET) < 0)
      finish();
    return fail(std::move(error).context("cannot store blob " + digest.short_text() + " in " + layers));
  }
};

StagedBlob::StagedBlob(std::unique_ptr<State> state) : state_(std::move(state)) {}
StagedBlob::StagedBlob(StagedBlob&&) noexcept = default;
StagedBlob& StagedBlob::operator=(StagedBlob&& other) noexcept {
  // What was here goes away with `other`.
  std::swap(state_, other.state_);
  return *this;
}
StagedBlob::~StagedBlob() {
  if (state_) state_->keep();
}

Result<StagedBlob> StagedBlob::open(const Context& context, const image::Digest& digest,
                                    std::optional<std::uint64_t> size, Lock lock) {
  std::string partial = path_join(context.state.layers, digest.text() + ".partial");
  // Its last writer may still be writing to it: leave the file to him.
  if (lock.taken_over()) TRY(unlink_at(AT_FDCWD, partial));
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, partial, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0666));
  Hasher hasher(digest.kind());
  auto offset = hash_rest(fd.get(), hasher);
  if (!offset) return fail(std::move(offset).error().context(partial));
  StagedBlob out(std::make_unique<State>(State{digest, size, partial, context.paths.layers, std::move(lock),
                                               std::move(fd), std::move(hasher), *offset, *offset}));
  if (size && *offset > *size) TRY(out.restart());
  return out;
}

const image::Digest& StagedBlob::digest() const { return state_->digest; }
std::uint64_t StagedBlob::offset() const { return state_->end(); }
Result<> StagedBlob::restart() {
  if (!state_->fd) return fail(Code::internal, "staged blob used after an error");
  return state_->clear();
}

Result<> StagedBlob::write(Bytes data) {
  State& s = *state_;
  if (!s.fd) return fail(Code::internal, "staged blob used after an error");
  if (s.size && data.size() > *s.size - s.end()) {
    TRY(s.clear());
    return fail(mismatch(s.digest, "more than the " + std::to_string(*s.size) + " bytes that the manifest says"));
  }
  if (auto held = s.lock->renew(); !held) {
    s.finish();
    return held;
  }
  return s.gather(data);
}

Result<> StagedBlob::commit() {
  State& s = *state_;
  if (!s.fd) return fail(Code::internal, "staged blob used after an error");
  TRY(s.lock->renew());
  TRY(s.write_gathered());
  std::string wrong;
  if (s.size && s.offset != *s.size)
    wrong = std::to_string(s.offset) + " bytes instead of the " + std::to_string(*s.size) + " that the manifest says";
  else if (s.hasher.hex() != s.digest.hex())
    wrong = "the content does not match the digest";
  if (!wrong.empty()) {
    (void)unlink_at(AT_FDCWD, s.partial);
    s.finish();
    return fail(mismatch(s.digest, wrong));
  }
  if (auto done = sync_fd(s.fd.get()); !done) return s.give_up(std::move(done).error());
  if (auto moved = rename_at(AT_FDCWD, s.partial, AT_FDCWD, path_join(s.layers, s.digest.text())); !moved)
    return s.give_up(std::move(moved).error());
  s.finish();
  if (auto dir = open_dir(s.layers)) (void)sync_fd(dir->get());
  return {};
}

}  // namespace udk::store
