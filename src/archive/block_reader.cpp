#include "archive/block_reader.hpp"

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace udk::archive {
namespace {

// The second-level cache holds the block while it is inflated, hashed and written.
constexpr std::size_t k_block = std::size_t{256} << 10;

class DirectReader final : public BlockReader {
 public:
  explicit DirectReader(LayerStream& stream) : stream_(stream), block_(k_block) {}
  Result<std::span<const std::byte>> next() override {
    TRY_ASSIGN(std::size_t size, stream_.fill(block_));
    return std::span<const std::byte>(block_).first(size);
  }

 private:
  LayerStream& stream_;
  std::vector<std::byte> block_;
};

// A side that ran out of work sleeps until there is some for a while, not for one block: fewer wakings, which counts
// where other programs want the processors too.
class AheadReader final : public BlockReader {
 public:
  explicit AheadReader(LayerStream& stream) : stream_(stream), thread_([this] { run(); }) {}
  ~AheadReader() override {
    {
      std::lock_guard guard(mutex_);
      stop_ = true;
    }
    emptied_.notify_one();
    thread_.join();
  }

  Result<std::span<const std::byte>> next() override {
    std::unique_lock guard(mutex_);
    if (lent_) {
      lent_ = false;
      ++taken_;
      if (has_room()) emptied_.notify_one();
    }
    if (taken_ == filled_) filled_some_.wait(guard, [this] { return filled_ - taken_ >= k_batch || ended_; });
    if (taken_ == filled_) {
      if (error_) return fail(*error_);
      return std::span<const std::byte>();
    }
    lent_ = true;
    const Slot& slot = slots_[taken_ % k_slots];
    return std::span<const std::byte>(slot.block).first(slot.size);
  }

 private:
  static constexpr std::size_t k_slots = 12;
  static constexpr std::size_t k_batch = k_slots / 2;
  struct Slot {
    std::vector<std::byte> block = std::vector<std::byte>(k_block);
    std::size_t size = 0;
  };

  [[nodiscard]] bool has_room() const { return filled_ - taken_ <= k_slots - k_batch; }

  void run() {
    for (std::size_t number = 0;; ++number) {
      {
        std::unique_lock guard(mutex_);
        if (filled_ - taken_ == k_slots) emptied_.wait(guard, [this] { return stop_ || has_room(); });
        if (stop_) return;
      }
      Slot& slot = slots_[number % k_slots];
      auto size = stream_.fill(slot.block);
      std::lock_guard guard(mutex_);
      ended_ = !size || *size == 0;
      if (!size) error_ = size.error();
      if (!ended_) {
        slot.size = *size;
        filled_ = number + 1;
      }
      if (ended_ || filled_ - taken_ >= k_batch) filled_some_.notify_one();
      if (ended_) return;
    }
  }

  LayerStream& stream_;
  std::array<Slot, k_slots> slots_;
  std::mutex mutex_;
  std::condition_variable filled_some_;
  std::condition_variable emptied_;
  std::size_t filled_ = 0;  // blocks that are ready, counted from the start
  std::size_t taken_ = 0;   // blocks that the consumer is through with
  bool lent_ = false;       // the consumer looks at block number taken_
  bool ended_ = false;
  bool stop_ = false;
  std::optional<Error> error_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace

std::unique_ptr<BlockReader> read_blocks(LayerStream& stream) { return std::make_unique<DirectReader>(stream); }
std::unique_ptr<BlockReader> read_blocks_ahead(LayerStream& stream) { return std::make_unique<AheadReader>(stream); }

}  // namespace udk::archive
