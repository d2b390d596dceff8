#include "store/blobs.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/hash.hpp"
#include "base/path.hpp"
#include "store/context.hpp"
#include "store/hash_file.hpp"

namespace udk::store {

std::string Blobs::path(const image::Digest& digest) const { return path_join(context_->paths.layers, digest.text()); }

bool Blobs::has(const image::Digest& digest, std::optional<std::uint64_t> size) const {
  struct stat st {};
  return ::lstat(path(digest).c_str(), &st) == 0 && S_ISREG(st.st_mode) &&
         (!size || static_cast<std::uint64_t>(st.st_size) == *size);
}

Result<> Blobs::verify(const image::Digest& digest) const { return verify_file(path(digest), digest); }

Result<> Blobs::verify_file(const std::string& path, const image::Digest& digest) {
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  Hasher hasher(digest.kind());
  auto size = hash_rest(fd.get(), hasher);
  if (!size) return fail(std::move(size).error().context(path));
  if (hasher.hex() != digest.hex())
    return fail(Code::corrupt, path + ": the content does not match " + digest.short_text() + ": pull the image again");
  return {};
}

Result<std::optional<StagedBlob>> Blobs::stage(const image::Digest& digest, std::optional<std::uint64_t> size,
                                               IfHeld if_held) const {
  // A file of the right size with other content is as good as none: it is fetched again.
  bool present = has(digest, size);
  if (present && verify(digest)) return std::optional<StagedBlob>();
  Waiting waiting = context_->waiting;
  if (if_held == IfHeld::fail) waiting.timeout = std::chrono::milliseconds(0);
  const std::string& state = context_->state.layers;
  TRY_ASSIGN(Lock lock, Lock::acquire(state, digest.text() + ".lock", LockMode::exclusive, waiting,
                                      "the download of " + digest.short_text()));
  // Not there before the wait, there now: its maker has just verified it.
  if (has(digest, size) && (!present || verify(digest))) return std::optional<StagedBlob>();
  TRY_ASSIGN(StagedBlob staged, StagedBlob::open(*context_, digest, size, std::move(lock)));
  return std::optional(std::move(staged));
}

Result<> Blobs::add(const image::Digest& digest, std::string_view content) const {
  TRY_ASSIGN(auto staged, stage(digest, content.size()));
  if (!staged) return {};
  TRY(staged->restart());
  TRY(staged->write(as_bytes(content)));
  return staged->commit();
}

}  // namespace udk::store
