// Layers from strangers: decompression, tar, whiteouts and the writes into a tree. The first byte chooses: bytes as
// they are, as one layer; or tar blocks whose checksums are set right, as up to four layers, so that what stands behind
// the checksum is reached. Whatever comes, nothing beside the tree may change.
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "archive/apply.hpp"
#include "archive/tar_block.hpp"
#include "base/file.hpp"
#include "base/random.hpp"

namespace {

using namespace udk;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// A tree with a witness beside it, in memory where the machine has such a place.
class Sandbox {
 public:
  Sandbox() : top_(std::string(is_dir("/dev/shm") ? "/dev/shm" : "/tmp") + "/udocker-fuzz-" + random_hex(8)) {
    require(make_dirs(top_ + "/outside").has_value(), "no scratch directory");
    require(write_file_atomic(top_ + "/outside/witness", "untouched").has_value(), "no witness");
    make_root();
    outside_before_ = state_of(top_ + "/outside");
    witness_before_ = state_of(top_ + "/outside/witness");
  }
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox() { (void)remove_tree_at(AT_FDCWD, top_); }

  [[nodiscard]] int root() const { return root_.get(); }
  void check_and_clear() {
    require(state_of(top_ + "/outside/witness") == witness_before_, "the witness was changed");
    require(state_of(top_ + "/outside") == outside_before_, "the directory beside the tree was changed");
    require(list_dir(top_)->size() == 2, "something was made beside the tree");
    const auto names = list_dir(root_.get());
    require(names.has_value(), "the tree cannot be listed");
    // All of it can be deleted without changing a mode.
    for (const std::string& name : *names)
      require(remove_tree_at(root_.get(), name, Modes::keep).has_value(), "the tree cannot be deleted");
  }

 private:
  using State = std::array<long, 5>;
  static State state_of(const std::string& path) {
    struct stat st {};
    require(::lstat(path.c_str(), &st) == 0, "a part of the scratch directory vanished");
    return {static_cast<long>(st.st_mode), static_cast<long>(st.st_nlink), st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
            st.st_size};
  }
  void make_root() {
    require(make_dirs(top_ + "/root").has_value(), "no root directory");
    auto opened = open_dir(top_ + "/root");
    require(opened.has_value(), "no root directory");
    root_ = std::move(*opened);
  }

  std::string top_;
  Fd root_;
  State outside_before_{};
  State witness_before_{};
};

// Sets the checksum of every block that has the magic of ustar or GNU.
void repair_checksums(std::string& tar) {
  for (std::size_t at = 0; at + archive::k_tar_block <= tar.size(); at += archive::k_tar_block) {
    if (tar.compare(at + 257, 5, "ustar") != 0) continue;
    tar.replace(at + 148, 8, "        ");
    unsigned sum = 0;
    for (std::size_t i = 0; i < archive::k_tar_block; ++i) sum += static_cast<unsigned char>(tar[at + i]);
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "%06o", sum);
    tar.replace(at + 148, 7, text.data(), 7);
  }
}

std::vector<std::string> layers_of(std::string_view input) {
  const auto choice = static_cast<unsigned char>(input[0]);
  input.remove_prefix(1);
  if (choice % 2 == 0) return {std::string(input)};
  std::string tar(input);
  repair_checksums(tar);
  // A block of "L" ends a layer.
  std::vector<std::string> layers(1);
  for (std::size_t at = 0; at < tar.size(); at += archive::k_tar_block) {
    const std::string block = tar.substr(at, archive::k_tar_block);
    if (block.starts_with("LLLL") && layers.size() < 4)
      layers.emplace_back();
    else
      layers.back() += block;
  }
  return layers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Sandbox sandbox;
  if (size == 0) return 0;
  const auto bytes = layers_of({reinterpret_cast<const char*>(data), size});
  std::vector<archive::LayerInput> layers;
  for (const std::string& layer : bytes) {
    archive::LayerInput input;
    input.blob = std::make_unique<archive::MemorySource>(as_bytes(layer));
    input.name = "fuzz";
    layers.push_back(std::move(input));
  }
  archive::ApplyOptions options;
  options.limits.bytes = std::uint64_t{4} << 20;
  options.limits.entries = 200;
  options.limits.depth = 20;
  archive::OwnerRecord owners;
  auto done = apply_layers(layers, sandbox.root(), options, owners);
  if (done) require(owners.size() <= done->entries, "more owners than members");
  if (!done) require(!done.error().text.empty(), "an error without a text");
  sandbox.check_and_clear();
  return 0;
}
