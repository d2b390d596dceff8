#pragma once

#include <string>

#include "cli/session.hpp"

namespace udk::cli {

enum class IfNameTaken { fail, leave_unnamed };

// Before the work instead of after it: Code::usage if `alias` is no name for a container, Code::exists if it is taken.
Result<> check_new_alias(const store::Store& store, const std::string& alias, IfNameTaken if_taken = IfNameTaken::fail);

// Makes a container of a local image and returns its id. `alias` may be empty. Nothing is left behind by a failure.
Result<std::string> create_container(Session& session, const store::ImageName& image, const std::string& alias,
                                     IfNameTaken if_taken = IfNameTaken::fail);

}  // namespace udk::cli
