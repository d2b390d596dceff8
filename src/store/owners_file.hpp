#pragma once

#include <string>
#include <string_view>

#include "archive/owner_record.hpp"
#include "base/result.hpp"

// The owner record of a container as text: the format of docs/on-disk-format.md, "Owner record".
namespace udk::store {

// In the container's directory, beside what the Python tool knows.
inline constexpr std::string_view k_owners_file = "owners";

std::string owners_to_text(const archive::OwnerRecord& owners);
// Code::corrupt names the line; Code::unsupported: a later version of the format.
Result<archive::OwnerRecord> owners_from_text(std::string_view text);

}  // namespace udk::store
