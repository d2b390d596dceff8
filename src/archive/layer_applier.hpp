#pragma once

#include <cerrno>
#include <cstdint>

#include "archive/apply.hpp"
#include "archive/entry_path.hpp"
#include "archive/ledger.hpp"
#include "archive/tar_reader.hpp"
#include "archive/tree.hpp"
#include "archive/whiteout.hpp"
#include "base/result.hpp"

namespace udk::archive {

// Applies the members of archives to a tree, one after the other.
class LayerApplier {
 public:
  LayerApplier(Tree& tree, Ledger& ledger, const Limits& limits, ApplyReport& report)
      : tree_(tree), ledger_(ledger), whiteouts_(tree, ledger), limits_(limits), report_(report) {}

  Result<> apply(TarReader& reader);
  // Directory times, once no more entry is made.
  Result<> finish();

 private:
  Result<> apply_entry(const TarEntry& entry, TarReader& reader);
  Result<> apply_root(const TarEntry& entry);
  Result<> put(const TarEntry& entry, TarReader& reader);
  Result<> put_file(const TarEntry& entry, TarReader& reader);
  Result<> write_content(int fd, const TarEntry& entry, TarReader& reader);
  Result<> put_directory(const TarEntry& entry);
  Result<> put_symlink(const TarEntry& entry);
  Result<> put_hardlink(const TarEntry& entry);
  Result<> put_fifo(const TarEntry& entry);
  Result<> skip_device();
  Result<> link_or_copy(int target_dir);
  Result<> copy_target(int target_dir);
  [[nodiscard]] Unexpected hard_link_failure(const char* what) const;
  // Runs make(), and once more after removing what stands in its place. Returns the errno of the last failure or 0.
  template <class F>
  Result<int> make_in_place(F make) {
    int err = make();
    if (err != EEXIST) return err;
    TRY(tree_.remove(name()));
    return make();
  }
  void record(const std::string& path, const TarEntry& entry, mode_t mode_on_disk);
  [[nodiscard]] const char* name() const { return path_.name().data(); }  // the tail of a string: NUL-terminated
  [[nodiscard]] Unexpected failure(int err, const char* what) const;
  [[nodiscard]] bool is_below_dev(std::string_view dir) const;

  Tree& tree_;
  Ledger& ledger_;
  Whiteouts whiteouts_;
  const Limits& limits_;
  ApplyReport& report_;
  EntryPath path_;
  EntryPath link_;
  bool has_aufs_links_ = false;
};

}  // namespace udk::archive
