#pragma once

#include <string>

#include "base/result.hpp"
#include "container/guest_view.hpp"
#include "container/metadata.hpp"

namespace udk::container {

// Where the payload starts, as a canonical guest path: --workdir, else the image's WorkingDir, else `home`. As docker
// does, a directory that is missing from ROOT is made when the user or the image names it; a missing home means "/".
// "invalid working directory" with Code::usage, or the code of the system's refusal.
Result<std::string> choose_workdir(const GuestView& view, const RunOptions& options, const Metadata& metadata,
                                   const std::string& home);

}  // namespace udk::container
