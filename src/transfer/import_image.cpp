#include <fcntl.h>
#include <sys/stat.h>

#include "archive/decoder.hpp"
#include "archive/tar_block.hpp"
#include "base/file.hpp"
#include "transfer/import.hpp"
#include "transfer/layer_file.hpp"
#include "transfer/metadata.hpp"
#include "transfer/publish.hpp"
#include "transfer/tree_archive.hpp"

namespace udk::transfer {
namespace {

// What is learnt of an archive while it is read.
struct Seen {
  archive::Compression compression = archive::Compression::none;
  std::uint64_t size = 0;
  Hasher hasher;  // of a compressed one; the digest of a plain one is that of its content, which is computed anyway
};

// The archive as it comes in: measured, and copied to the store.
class ImportSource : public archive::ByteSource {
 public:
  ImportSource(int fd, const Cancelled& cancelled, store::Intake::File* copy, Seen& seen)
      : input_(fd, cancelled), copy_(copy), seen_(seen) {}

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    TRY_ASSIGN(std::size_t got, input_.read(buffer));
    // The first bytes tell what it is.
    while (seen_.size == 0 && got != 0 && got < archive::k_tar_block) {
      TRY_ASSIGN(std::size_t more, input_.read(buffer.subspan(got)));
      if (more == 0) break;
      got += more;
    }
    const auto bytes = buffer.first(got);
    if (seen_.size == 0) seen_.compression = archive::detect_compression(bytes).value_or(archive::Compression::none);
    seen_.size += got;
    if (seen_.compression != archive::Compression::none) seen_.hasher.update(bytes);
    if (copy_) TRY(copy_->write(bytes));
    return got;
  }

 private:
  InputSource input_;
  store::Intake::File* copy_;
  Seen& seen_;
};

struct Read {
  archive::Compression compression;
  image::Digest stored, plain;
};

Result<Read> read_archive(int fd, const ImportOptions& options, store::Intake::File* copy) {
  Seen seen;
  TRY_ASSIGN(auto plain, read_tree_archive(std::make_unique<ImportSource>(fd, options.cancelled, copy, seen), {}, {},
                                           options.limits));
  if (seen.size == 0) return fail(Code::corrupt, "it is empty");
  auto stored = plain;
  if (seen.compression != archive::Compression::none) {
    TRY_ASSIGN(stored, image::Digest::parse("sha256:" + seen.hasher.hex()));
  }
  return Read{seen.compression, std::move(stored), std::move(plain)};
}

Result<CheckedLayer> receive_copy(store::Intake& intake, int fd, const ImportOptions& options) {
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
    TRY(intake.check_room(options.limits, static_cast<std::uint64_t>(status.st_size)));
  TRY_ASSIGN(auto file, intake.open(std::nullopt));
  TRY_ASSIGN(auto read, read_archive(fd, options, &file));
  TRY_ASSIGN(auto stored, file.finish_as(read.stored));
  return CheckedLayer{{std::move(stored), read.compression}, read.plain};
}

// By a link where that is possible, else by a copy as well.
Result<CheckedLayer> receive_link(store::Intake& intake, const std::string& path, int fd,
                                  const ImportOptions& options) {
  TRY_ASSIGN(auto read, read_archive(fd, options, nullptr));
  if (auto linked = intake.link_in(path, read.stored))
    return CheckedLayer{{std::move(*linked), read.compression}, read.plain};
  if (::lseek(fd, 0, SEEK_SET) != 0) return fail_errno(errno, path);
  return receive_copy(intake, fd, options);
}

}  // namespace

Result<image::Digest> import_image(store::Store& store, const std::string& path, const store::ImageName& name,
                                   const ImportOptions& options) {
  TRY(check_image_is_new(store, name));
  TRY_ASSIGN(Fd input, open_input(path));
  TRY_ASSIGN(auto intake, store.blobs().receive());
  auto received = options.source == Source::move ? receive_link(intake, path, input.get(), options)
                                                 : receive_copy(intake, input.get(), options);
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
