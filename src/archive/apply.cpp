#include "archive/apply.hpp"

#include "archive/block_reader.hpp"
#include "archive/layer_applier.hpp"
#include "archive/layer_stream.hpp"
#include "base/file.hpp"

namespace udk::archive {
namespace {

constexpr std::uint64_t k_progress_step = std::uint64_t{8} << 20;

// Passes blocks on and tells of the progress.
class WatchedReader final : public BlockReader {
 public:
  WatchedReader(BlockReader& blocks, const LayerStream& stream, const ApplyOptions& options, std::size_t layer)
      : blocks_(blocks), stream_(stream), options_(options), layer_(layer) {}
  Result<std::span<const std::byte>> next() override {
    auto block = blocks_.next();
    if (block) since_ += block->size();
    if (!block || since_ < k_progress_step || !options_.progress) return block;
    since_ = 0;
    TRY(options_.progress({layer_, stream_.stored_bytes()}));
    return block;
  }

 private:
  BlockReader& blocks_;
  const LayerStream& stream_;
  const ApplyOptions& options_;
  std::size_t layer_;
  std::uint64_t since_ = 0;
};

SizeLimits limits_left(const Limits& limits, const ApplyReport& report) {
  std::uint64_t used = 0;
  for (const AppliedLayer& layer : report.layers) used += layer.tar_bytes;
  SizeLimits left = size_limits(limits);
  left.bytes -= used;
  return left;
}

Result<> apply_layer(LayerInput& layer, const ApplyOptions& options, LayerApplier& applier, ApplyReport& report) {
  LayerStream stream(std::move(layer.blob), layer.digest, layer.diff_id, limits_left(options.limits, report),
                     options.plain_digest);
  auto blocks = options.threads == Threads::pipeline ? read_blocks_ahead(stream) : read_blocks(stream);
  WatchedReader watched(*blocks, stream, options, report.layers.size());
  TarReader reader(watched);
  TRY(applier.apply(reader));
  report.layers.push_back({stream.plain_digest(), stream.stored_bytes(), stream.plain_bytes()});
  return {};
}

}  // namespace

Result<ApplyReport> apply_layers(std::span<LayerInput> layers, int root, const ApplyOptions& options,
                                 OwnerRecord& owners) {
  ApplyReport report;
  TRY_ASSIGN(auto present, list_dir(root));
  Ledger ledger(owners, present.empty() ? Ledger::Below::nothing : Ledger::Below::something);
  Tree tree(root, options.limits.depth, ledger);
  TRY(tree.probe_umask());
  LayerApplier applier(tree, ledger, options.limits, report);
  for (LayerInput& layer : layers) {
    ledger.begin_layer();
    if (auto applied = apply_layer(layer, options, applier, report); !applied)
      return fail(std::move(applied).error().context("layer " + layer.name));
  }
  TRY(applier.finish());
  return report;
}

}  // namespace udk::archive
