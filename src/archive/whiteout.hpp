#pragma once

#include <string>
#include <string_view>

#include "archive/entry_path.hpp"
#include "archive/ledger.hpp"
#include "archive/tree.hpp"
#include "base/result.hpp"

// Members of a layer that say what is gone from the layers below (OCI image-spec, layer.md, "Whiteouts").
namespace udk::archive {

enum class Mark {
  none,      // an ordinary member
  whiteout,  // ".wh.NAME": NAME of the same directory
  opaque,    // ".wh..wh..opq": all of the same directory
  ignored,   // what aufs leaves behind, and what lies in a directory that is named like a mark
  invalid,   // a whiteout of "", "." or ".."
};

Mark mark_of(const EntryPath& path);
// NAME of ".wh.NAME".
std::string_view whiteout_target(const EntryPath& path);

// aufs kept the content of hard-linked files in this directory of the layer; it must be there as long as the layer is
// applied, and no longer.
constexpr std::string_view k_aufs_links = ".wh..wh.plnk";

// Hides lower layers: removes from the tree what the current layer did not write, wherever in the layer the mark
// stands.
class Whiteouts {
 public:
  Whiteouts(Tree& tree, Ledger& ledger) : tree_(tree), ledger_(ledger) {}
  Result<> hide(const EntryPath& mark);
  // Makes no directory: if the layer has one there, it says so by other members.
  Result<> hide_content(const EntryPath& mark);

 private:
  Result<> hide_lower(int dir, const std::string& path, const std::string& name);
  Result<> hide_lower_below(int dir, const std::string& path);
  Result<> remove(int dir, const std::string& path, const std::string& name);

  Tree& tree_;
  Ledger& ledger_;
};

}  // namespace udk::archive
