#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "image/digest.hpp"
#include "image/manifest.hpp"
#include "store/store.hpp"
#include "unit/temp_dir.hpp"

namespace udk::store::test {

// A repository of its own.
class ScratchStore {
 public:
  ScratchStore() {
    if (!create_repository(paths())) std::abort();
  }
  explicit ScratchStore(const std::string& top) : top_(top) {
    if (!create_repository(paths())) std::abort();
  }
  [[nodiscard]] Paths paths() const { return Paths::under(top_.empty() ? dir_ / "repo" : top_); }
  [[nodiscard]] Store open(Waiting waiting = {}) const { return std::move(*Store::open(paths(), std::move(waiting))); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return paths().top + "/" + name; }

 private:
  udk::test::TempDir dir_;
  std::string top_;
};

// An image made of texts: each layer is one blob with that content.
struct SampleImage {
  std::string config;
  std::vector<std::string> layers;

  [[nodiscard]] image::Manifest manifest() const;
};

// Fetches the blobs that are missing and publishes.
Result<> pull(const Store& store, const ImageName& name, const SampleImage& sample);

// Every path below a directory, sorted; directories with a slash at the end, links with " -> TARGET".
std::vector<std::string> tree_of(const std::string& dir);

}  // namespace udk::store::test
