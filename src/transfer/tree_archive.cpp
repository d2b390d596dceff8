#include "transfer/tree_archive.hpp"

#include "archive/block_reader.hpp"
#include "archive/entry_path.hpp"
#include "archive/layer_stream.hpp"
#include "archive/tar_reader.hpp"

namespace udk::transfer {

Result<image::Digest> read_tree_archive(std::unique_ptr<archive::ByteSource> source,
                                        const std::optional<image::Digest>& stored,
                                        const std::optional<image::Digest>& plain, const archive::Limits& limits) {
  archive::LayerStream stream(std::move(source), stored, plain, archive::size_limits(limits));
  auto blocks = archive::read_blocks(stream);
  archive::TarReader reader(*blocks);
  archive::EntryPath path;
  for (std::uint64_t count = 1;; ++count) {
    TRY_ASSIGN(const archive::TarEntry* entry, reader.next());
    if (!entry) break;
    if (count > limits.entries) return archive::too_many_entries(limits.entries);
    TRY(path.assign(entry->path, limits.depth));
  }
  TRY(reader.drain());
  return image::Digest::parse(stream.plain_digest());
}

}  // namespace udk::transfer
