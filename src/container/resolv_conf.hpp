#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace udk::container {

// The text of resolv.conf(5) for --dns and --dns-search: what is given replaces the host's lines of that kind, the
// other lines stay. --dns-search=. means no search list. Code::usage for a server that is no address.
Result<std::string> make_resolv_conf(const std::vector<std::string>& servers, const std::vector<std::string>& search,
                                     std::string_view host_text);

}  // namespace udk::container
