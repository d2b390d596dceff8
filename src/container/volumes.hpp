#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "container/build.hpp"
#include "container/guest_view.hpp"

namespace udk::container {

// What is to be done about a volume that cannot be had: the run goes on without it, or not at all.
enum class Need { optional, required };

// HOST[:CONTAINER][:option,...] taken apart: docker's short syntax, with the Python tool's empty CONTAINER = HOST.
struct Volume {
  std::string host, guest;  // absolute, without doubled and trailing slashes
  Access access = Access::read_write;
  Need need = Need::required;
  bool listed = true;  // as in Bind
};

// Only the text is looked at. Code::usage: "invalid host volume path", "invalid container volume path", "invalid volume
// option", "invalid volume".
Result<Volume> parse_volume(std::string_view text);

// The volume list of a run: system directories, --dri, --bindhome, --volumes-from and -v, minus --novol, host paths
// canonical. A missing host path is an error for -v alone. A later entry hides an earlier one at the same place.
Result<std::vector<Volume>> collect_volumes(const ContainerInfo& container, const RunOptions& options,
                                            const Settings& settings, const HostFacts& host,
                                            std::vector<Notice>& notices);

// Puts the volumes into the view, at the places that the links of the image lead to.
Result<> place_volumes(const std::vector<Volume>& volumes, GuestView& view);

}  // namespace udk::container
