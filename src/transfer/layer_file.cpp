#include "transfer/layer_file.hpp"

#include <fcntl.h>

#include <array>
#include <nlohmann/json.hpp>

#include "archive/block_reader.hpp"
#include "archive/layer_stream.hpp"
#include "archive/tar_block.hpp"
#include "base/file.hpp"

namespace udk::transfer {

Result<image::Digest> plain_digest(const std::string& path, const archive::Limits& limits) {
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, path, O_RDONLY));
  archive::LayerStream stream(std::make_unique<archive::FdSource>(std::move(fd)), {}, {}, archive::size_limits(limits));
  auto blocks = archive::read_blocks(stream);
  for (;;) {
    TRY_ASSIGN(auto block, blocks->next());
    if (block.empty()) return image::Digest::parse(stream.plain_digest());
  }
}

Result<CheckedLayer> check_layer(const store::ReceivedFile& file, const archive::Limits& limits) {
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, file.path, O_RDONLY));
  std::array<std::byte, archive::k_tar_block> head{};
  const auto got = ::pread(fd.get(), head.data(), head.size(), 0);
  if (got < 0) return fail_errno(errno, file.path);
  auto compression = archive::detect_compression(std::span(head).first(static_cast<std::size_t>(got)));
  if (compression == archive::Compression::none) return CheckedLayer{{file, *compression}, file.digest};
  // Also where nobody knows what it is: then it says so.
  TRY_ASSIGN(auto plain, plain_digest(file.path, limits));
  return CheckedLayer{{file, *compression}, std::move(plain)};
}

std::vector<image::Digest> diff_ids_of(const std::vector<CheckedLayer>& layers) {
  std::vector<image::Digest> out;
  out.reserve(layers.size());
  for (const auto& layer : layers) out.push_back(layer.diff_id);
  return out;
}

Result<std::string> with_diff_ids(const std::string& config, const std::vector<image::Digest>& diff_ids) {
  auto document = nlohmann::ordered_json::parse(config, nullptr, false);
  if (!document.is_object()) return fail(Code::corrupt, "the configuration is not a JSON object");
  auto ids = nlohmann::ordered_json::array();
  for (const auto& id : diff_ids) ids.push_back(id.text());
  document["rootfs"] = nlohmann::ordered_json{{"type", "layers"}, {"diff_ids", std::move(ids)}};
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Result<image::Manifest> manifest_for(const store::ReceivedFile& config, const std::vector<CheckedLayer>& layers) {
  std::vector<StoredLayer> stored;
  stored.reserve(layers.size());
  for (const auto& layer : layers) stored.push_back(layer.stored);
  return make_manifest(config, stored);
}

}  // namespace udk::transfer
