#include <fcntl.h>

#include "archive/apply.hpp"
#include "archive/block_reader.hpp"
#include "archive/entry_path.hpp"
#include "archive/layer_stream.hpp"
#include "archive/tar_reader.hpp"
#include "base/file.hpp"
#include "transfer/import.hpp"
#include "transfer/layer_file.hpp"
#include "transfer/metadata.hpp"
#include "transfer/publish.hpp"

namespace udk::transfer {
namespace {

// The archive as it comes in: measured, copied to the store, and hashed if it is compressed; the digest of a plain one
// is that of its content, which is computed anyway.
class ImportSource : public archive::ByteSource {
 public:
  ImportSource(int fd, const Cancelled& cancelled, store::Intake::File* copy) : input_(fd, cancelled), copy_(copy) {}

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    TRY_ASSIGN(std::size_t got, input_.read(buffer));
    // The first bytes tell what it is.
    while (size == 0 && got < archive::k_tar_block) {
      TRY_ASSIGN(std::size_t more, input_.read(buffer.subspan(got)));
      if (more == 0) break;
      got += more;
    }
    const auto bytes = buffer.first(got);
    if (size == 0) compression = archive::detect_compression(bytes).value_or(archive::Compression::none);
    size += got;
    if (compression != archive::Compression::none) hasher.update(bytes);
    if (copy_) TRY(copy_->write(bytes));
    return got;
  }

  archive::Compression compression = archive::Compression::none;
  std::uint64_t size = 0;
  Hasher hasher;

 private:
  InputSource input_;
  store::Intake::File* copy_;
};

// Reads all members: what is stored can be unpacked.
Result<> check_tree(archive::LayerStream& stream, const archive::Limits& limits) {
  auto blocks = archive::read_blocks(stream);
  archive::TarReader reader(*blocks);
  archive::EntryPath path;
  for (std::uint64_t count = 1;; ++count) {
    TRY_ASSIGN(const archive::TarEntry* entry, reader.next());
    if (!entry) break;
    if (count > limits.entries)
      return fail(Code::corrupt,
                  "the archive has more than the " + std::to_string(limits.entries) + " members allowed");
    TRY(path.assign(entry->path, limits.depth));
  }
  return reader.drain();
}

struct Read {
  archive::Compression compression;
  std::uint64_t size;
  image::Digest stored, plain;
};

Result<Read> read_archive(int fd, const Cancelled& cancelled, store::Intake::File* copy) {
  const archive::Limits limits;
  auto owned = std::make_unique<ImportSource>(fd, cancelled, copy);
  ImportSource& source = *owned;  // lives as long as the stream
  archive::LayerStream stream(std::move(owned), {}, {}, {limits.bytes, limits.ratio, limits.free_bytes});
  TRY(check_tree(stream, limits));
  if (source.size == 0) return fail(Code::corrupt, "it is empty");
  TRY_ASSIGN(auto plain, image::Digest::parse(stream.plain_digest()));
  auto stored = plain;
  if (source.compression != archive::Compression::none) {
    TRY_ASSIGN(stored, image::Digest::parse("sha256:" + source.hasher.hex()));
  }
  return Read{source.compression, source.size, std::move(stored), std::move(plain)};
}

Result<CheckedLayer> receive_copy(store::Intake& intake, int fd, const Cancelled& cancelled) {
  TRY_ASSIGN(auto file, intake.open(std::nullopt));
  TRY_ASSIGN(auto read, read_archive(fd, cancelled, &file));
  TRY_ASSIGN(auto stored, file.finish_as(read.stored));
  return CheckedLayer{{std::move(stored), read.compression}, read.plain};
}

// By a link where that is possible, else by a copy as well.
Result<CheckedLayer> receive_link(store::Intake& intake, const std::string& path, int fd, const Cancelled& cancelled) {
  TRY_ASSIGN(auto read, read_archive(fd, cancelled, nullptr));
  if (auto linked = intake.link_in(path, read.stored))
    return CheckedLayer{{std::move(*linked), read.compression}, read.plain};
  if (::lseek(fd, 0, SEEK_SET) != 0) return fail_errno(errno, path);
  return receive_copy(intake, fd, cancelled);
}

}  // namespace

Result<image::Digest> import_image(store::Store& store, const std::string& path, const store::ImageName& name,
                                   const ImportOptions& options) {
  TRY(check_image_is_new(store, name));
  TRY_ASSIGN(Fd input, open_input(path));
  TRY_ASSIGN(auto intake, store.blobs().receive());
  auto received = options.source == Source::move ? receive_link(intake, path, input.get(), options.cancelled)
                                                 : receive_copy(intake, input.get(), options.cancelled);
  if (!received) return fail(std::move(received).error().context(path == "-" ? "standard input" : path));
  const auto& layer = received->stored;
  TRY_ASSIGN(auto config,
             intake.add(made_up_config(options.platform, ImportedLayer{layer.file.size, received->diff_id})));
  TRY_ASSIGN(auto manifest, make_manifest(config, {layer}));
  TRY(publish_images(store, intake, {{name, manifest, {config, layer.file}}}));
  if (options.source == Source::move) TRY(unlink_at(AT_FDCWD, path));
  return layer.file.digest;
}

}  // namespace udk::transfer
