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

// Which offers are taken for a wanted platform: those that serve it, or all that run on it, the serving ones first.
enum class Fit : unsigned char { serves, runs };

// Whether programs for `offered` run on `host`: what platform_rank() accepts, and the 32-bit programs that 64-bit
// kernels run beside their own.
bool runs_on(const Platform& offered, const Platform& host);

// This machine: uname(2), for amd64 with the level that the processor has (x86-64-v2 ... v4 of the psABI).
Platform host_platform();
// The platform of a machine name of uname(2); `little_endian` decides for the machines that have both.
Platform platform_of_machine(std::string_view machine, bool little_endian = true);

}  // namespace udk::image
