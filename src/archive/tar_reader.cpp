#include "archive/tar_reader.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <optional>
#include <string>

#include "base/text.hpp"

namespace udk::archive {
namespace {

EntryType type_of(mode_t file_type) {
  switch (file_type) {
    case AE_IFDIR:
      return EntryType::directory;
    case AE_IFLNK:
      return EntryType::symlink;
    case AE_IFIFO:
      return EntryType::fifo;
    case AE_IFCHR:
    case AE_IFBLK:
      return EntryType::device;
    default:
      return EntryType::file;
  }
}

}  // namespace

struct TarReader::State {
  explicit State(BlockReader& reader) : blocks(reader) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { archive_read_free(handle); }

  static la_ssize_t read(::archive*, void* self, const void** data);
  Result<> open();
  Result<> convert(archive_entry* from);
  [[nodiscard]] Error failure() const;
  [[nodiscard]] bool is_harmless_warning() const;

  BlockReader& blocks;
  std::optional<Error> error;  // of the blocks, where the library only knows that there was one
  ::archive* handle = archive_read_new();
  bool opened = false;
  TarEntry entry;
};

la_ssize_t TarReader::State::read(::archive*, void* self, const void** data) {
  auto* state = static_cast<State*>(self);
  auto block = state->blocks.next();
  if (!block) {
    state->error = std::move(block).error();
    archive_set_error(state->handle, EIO, "cannot read");
    return -1;
  }
  *data = block->data();
  return static_cast<la_ssize_t>(block->size());
}

Error TarReader::State::failure() const {
  if (error) return *error;
  const char* text = archive_error_string(handle);
  return {Code::corrupt, "the tar archive is damaged: " + printable(text ? text : "no valid header")};
}

// The library warns of two things: a name that is not ASCII, since this program has no locale (its bytes are kept), and
// attributes that it cannot read.
bool TarReader::State::is_harmless_warning() const {
  const char* text = archive_error_string(handle);
  return text && std::string_view(text).find("can't be converted") != std::string_view::npos;
}

Result<> TarReader::State::open() {
  archive_read_support_format_tar(handle);
  archive_read_support_format_empty(handle);
  if (archive_read_open(handle, this, nullptr, &State::read, nullptr) != ARCHIVE_OK) return fail(failure());
  opened = true;
  return {};
}

Result<> TarReader::State::convert(archive_entry* from) {
  const char* path = archive_entry_pathname(from);
  const char* hardlink = archive_entry_hardlink(from);
  const char* symlink = archive_entry_symlink(from);
  entry.path = path ? path : "";
  entry.link = hardlink ? hardlink : symlink ? symlink : "";
  entry.type = hardlink ? EntryType::hardlink : type_of(archive_entry_filetype(from));
  entry.mode = static_cast<std::uint16_t>(archive_entry_perm(from) & 07777U);
  const std::int64_t uid = archive_entry_uid(from);
  const std::int64_t gid = archive_entry_gid(from);
  const std::int64_t size = archive_entry_size(from);
  // The highest number is "no user" to the kernel.
  if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX || size < 0)
    return fail(Code::corrupt, "the tar archive is damaged: a number is out of range at " + printable(entry.path));
  entry.uid = static_cast<std::uint32_t>(uid);
  entry.gid = static_cast<std::uint32_t>(gid);
  entry.size = static_cast<std::uint64_t>(size);
  entry.mtime = {archive_entry_mtime(from), archive_entry_mtime_nsec(from)};
  return {};
}

TarReader::TarReader(BlockReader& blocks) : state_(std::make_unique<State>(blocks)) {}
TarReader::~TarReader() = default;

Result<const TarEntry*> TarReader::next() {
  if (!state_->opened) TRY(state_->open());
  archive_entry* found = nullptr;
  int code = archive_read_next_header(state_->handle, &found);
  if (code == ARCHIVE_EOF) return nullptr;
  if (code != ARCHIVE_OK && !(code == ARCHIVE_WARN && state_->is_harmless_warning())) return fail(state_->failure());
  TRY(state_->convert(found));
  return &state_->entry;
}

Result<TarData> TarReader::data() {
  const void* bytes = nullptr;
  std::size_t size = 0;
  std::int64_t offset = 0;
  int code = archive_read_data_block(state_->handle, &bytes, &size, &offset);
  if (code == ARCHIVE_EOF) return TarData{state_->entry.size, {}};
  if (code != ARCHIVE_OK || offset < 0) return fail(state_->failure());
  return TarData{static_cast<std::uint64_t>(offset), {static_cast<const std::byte*>(bytes), size}};
}

Result<> TarReader::drain() {
  for (;;) {
    TRY_ASSIGN(auto block, state_->blocks.next());
    if (block.empty()) return {};
  }
}

}  // namespace udk::archive
