#include "unit/store/scratch_store.hpp"

#include <algorithm>
#include <filesystem>

namespace udk::store::test {
namespace {

std::string descriptor(const std::string& type, const std::string& content) {
  return R"({"mediaType":")" + type + R"(","size":)" + std::to_string(content.size()) + R"(,"digest":")" +
         image::Digest::of(content).text() + "\"}";
}

Result<> fetch(const Store& store, const std::string& content) {
  auto digest = image::Digest::of(content);
  TRY_ASSIGN(auto staged, store.blobs().stage(digest, content.size()));
  if (!staged) return {};
  TRY(staged->write(as_bytes(content).subspan(static_cast<std::size_t>(staged->offset()))));
  return staged->commit();
}

}  // namespace

image::Manifest SampleImage::manifest() const {
  std::string raw =
      R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":)" +
      descriptor("application/vnd.docker.container.image.v1+json", config) + R"(,"layers":[)";
  for (const auto& layer : layers) {
    if (&layer != &layers.front()) raw += ",\n";
    raw += descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", layer);
  }
  auto parsed = image::parse_manifest(raw + "]}");
  if (!parsed) std::abort();
  return *parsed;
}

Result<> pull(const Store& store, const ImageName& name, const SampleImage& sample) {
  TRY_ASSIGN(ImageDraft draft, store.images().begin(name));
  auto manifest = sample.manifest();
  TRY(draft.claim(manifest));
  TRY(fetch(store, sample.config));
  for (const auto& layer : sample.layers) TRY(fetch(store, layer));
  return draft.publish(manifest);
}

std::vector<std::string> tree_of(const std::string& dir) {
  namespace fs = std::filesystem;
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    std::string name = entry.path().string().substr(dir.size() + 1);
    if (entry.is_symlink())
      name += " -> " + fs::read_symlink(entry.path()).string();
    else if (entry.is_directory())
      name += "/";
    out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace udk::store::test
