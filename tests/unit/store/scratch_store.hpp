#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "image/digest.hpp"
#include "image/manifest.hpp"
#include "store/store.hpp"
#include "unit/temp_dir.hpp"

namespace udk::store::test {

// Where a repository lies: tests that make hundreds do not wait for a disk.
enum class Where { disk, memory };

// A repository of its own.
class ScratchStore {
 public:
  explicit ScratchStore(Where where = Where::disk) {
    bool memory = where == Where::memory && ::access("/dev/shm", W_OK) == 0;
    dir_ = memory ? std::make_unique<udk::test::TempDir>("/dev/shm") : std::make_unique<udk::test::TempDir>();
    if (!create_repository(paths())) std::abort();
  }
  [[nodiscard]] Paths paths() const { return Paths::under(*dir_ / "repo"); }
  [[nodiscard]] Store open(Waiting waiting = {}) const { return std::move(*Store::open(paths(), std::move(waiting))); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return paths().top + "/" + name; }
  [[nodiscard]] const std::string& outside() const { return dir_->path(); }

 private:
  std::unique_ptr<udk::test::TempDir> dir_;
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
