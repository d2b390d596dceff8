#pragma once

#include <string>

#include "base/result.hpp"

namespace udk::cli {

// The text of an error for the user. What every command can meet, a full disk, gets its remedy here.
std::string text_with_remedy(const Error& error);

}  // namespace udk::cli
