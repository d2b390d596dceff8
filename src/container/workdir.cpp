#include "container/workdir.hpp"

#include "base/path.hpp"

namespace udk::container {
namespace {

Result<std::string> named_directory(const GuestView& view, const std::string& dir) {
  auto made = view.make_dirs(dir);
  if (!made) {
    auto error = std::move(made).error().context("invalid working directory");
    error.text += " (choose another --workdir)";
    return fail(std::move(error));
  }
  TRY_ASSIGN(auto place, view.locate(dir));
  return std::move(place.guest);
}

}  // namespace

Result<std::string> choose_workdir(const GuestView& view, const RunOptions& options, const Metadata& metadata,
                                   const std::string& home) {
  if (!options.workdir.empty()) {
    if (options.workdir.starts_with('/')) return named_directory(view, options.workdir);
    return fail(Code::usage, "invalid working directory: " + options.workdir + ": an absolute path is needed");
  }
  if (!metadata.working_dir.empty()) return named_directory(view, path_join("/", metadata.working_dir));
  auto place = view.locate(home);
  bool usable = place && place->status && S_ISDIR(place->status->st_mode);
  return usable ? place->guest : "/";
}

}  // namespace udk::container
