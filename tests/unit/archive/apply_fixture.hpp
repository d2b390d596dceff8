#pragma once

#include <map>
#include <string>
#include <vector>

#include "archive/apply.hpp"
#include "base/fd.hpp"
#include "unit/archive/tar_builder.hpp"
#include "unit/temp_dir.hpp"

namespace udk::archive::test {

// A directory tree as text, one line a path: "d 755", "f 644 content", "l -> target", "p 644".
using Listing = std::map<std::string, std::string>;
Listing list_tree(const std::string& top);

// An empty tree to apply layers to, with a witness beside it.
class ApplyFixture {
 public:
  ApplyFixture();
  // Layers are archives, plain or compressed. Each call is one application.
  Result<ApplyReport> apply(const std::vector<std::string>& layers);
  [[nodiscard]] std::string root() const { return scratch_ / "root"; }
  [[nodiscard]] std::string path(const std::string& name) const { return root() + "/" + name; }
  [[nodiscard]] Listing list() const { return list_tree(root()); }
  // What lies beside the tree, which no archive may touch.
  [[nodiscard]] Listing list_outside() const { return list_tree(scratch_ / "outside"); }
  [[nodiscard]] std::string outside() const { return scratch_ / "outside"; }

  OwnerRecord owners;
  ApplyOptions options;

 private:
  udk::test::TempDir scratch_;
};

}  // namespace udk::archive::test
