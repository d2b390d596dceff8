#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace udk::image {

// "os/architecture[/variant]" with the names of GOOS and GOARCH (OCI image-spec, image-index.md).
struct Platform {
  std::string os, architecture, variant;

  // "linux/arm64", "linux/arm/v7", "linux" or "arm64" (what is missing comes from `host`); aliases as x86_64, aarch64,
  // armhf are accepted. Code::usage if malformed.
  static Result<Platform> parse(std::string_view text, const Platform& host);

  // Lower case, aliases resolved, the variant that means nothing removed (arm64/v8, amd64/v1).
  [[nodiscard]] Platform normalized() const;
  // "os/architecture[/variant]"; a missing part is "unknown".
  [[nodiscard]] std::string text() const;

  friend bool operator==(const Platform&, const Platform&) = default;
};

// How well something built for `offered` serves `wanted`: 0 is best, larger is worse, nullopt cannot serve. A wanted
// variant is also served by the lower ones (amd64/v3 by v2 and plain, arm/v7 by v6 and v5); parts that the offer
// leaves open match anything.
std::optional<std::size_t> platform_rank(const Platform& offered, const Platform& wanted);

// What images are looked for on this machine: uname(2). For amd64 without the level of the processor: a repository may
// be shared with nodes that are older.
Platform host_platform();
// What this machine can run, in the order in which it is wanted: host_platform(), then for amd64 the levels that the
// processor has, the lowest first (x86-64-v2 ... v4 of the psABI), and i386.
std::vector<Platform> host_platforms();
// The platform of a machine name of uname(2); `little_endian` decides for the machines that have both.
Platform platform_of_machine(std::string_view machine, bool little_endian = true);

}  // namespace udk::image
