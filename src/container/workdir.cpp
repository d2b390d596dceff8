#include "container/workdir.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/path.hpp"

namespace udk::container {
namespace {

// The payload is started there under the invoking user's permissions, whoever it is inside.
bool can_be_entered(const GuestLocation& place) {
  return ::faccessat(AT_FDCWD, place.host.c_str(), X_OK, AT_EACCESS) == 0;
}

Result<std::string> make_and_locate(const GuestView& view, const std::string& dir) {
  TRY(view.make_dirs(dir));
  TRY_ASSIGN(auto place, view.locate(dir));
  if (!can_be_entered(place)) return fail_errno(errno, dir);
  return std::move(place.guest);
}

Result<std::string> named_directory(const GuestView& view, const std::string& dir) {
  auto place = make_and_locate(view, dir);
  if (place) return place;
  auto error = std::move(place).error().context("invalid working directory");
  error.text += " (choose another --workdir)";
  return fail(std::move(error));
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
  bool usable = place && place->status && S_ISDIR(place->status->st_mode) && can_be_entered(*place);
  return usable ? place->guest : "/";
}

}  // namespace udk::container
