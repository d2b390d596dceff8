#pragma once

#include <string>
#include <vector>

#include "archive/limits.hpp"
#include "base/result.hpp"
#include "store/store.hpp"
#include "transfer/input.hpp"

namespace udk::transfer {

struct LoadOptions {
  std::string name;  // NAME, which replaces the repository, or NAME:TAG for the only image; "" for the archive's names
  archive::Limits limits;
  Cancelled cancelled;
};

// All images of an archive, a directory with an OCI layout, or ("-") standard input; all or none. The names they got.
// Code::exists: another image of such a name is there, or all are there already.
Result<std::vector<store::ImageName>> load_images(store::Store& store, const std::string& path,
                                                  const LoadOptions& options);

}  // namespace udk::transfer
