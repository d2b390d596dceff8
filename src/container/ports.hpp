#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "container/build.hpp"
#include "container/metadata.hpp"
#include "container/run_spec.hpp"

namespace udk::container {

// Code::usage "invalid port mapping". IPv6 addresses stand in brackets.
Result<PortMap> parse_port_map(std::string_view text);

// What the user should know about the image's ExposedPorts, at most one line: without privileges no port below 1024 can
// be had.
std::optional<Notice> exposed_ports_notice(const Metadata& metadata, const std::vector<PortMap>& maps,
                                           const HostFacts& host);

}  // namespace udk::container
