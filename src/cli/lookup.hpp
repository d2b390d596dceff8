#pragma once

#include <string>

#include "cli/session.hpp"

namespace udk::cli {

// Texts of the Python tool for words that name nothing.
Result<std::string> container_id(store::Store& store, const std::string& id_or_alias, std::string_view complaint);
// The image that a user names. Code::usage or Code::not_found, with one line for the user.
Result<store::ImageEntry> image_entry(store::Store& store, const std::string& text);
// Where to read on after a mistake in the words of a command.
std::string help_hint(std::string_view command);
// As many words as that, else "syntax error at: ..." or "must specify MISSING".
Result<> expect_words(const Arguments& arguments, std::size_t least, std::size_t most, std::string_view missing);
// The mode of a container: stored by `setup`, else the configured default.
std::string mode_of(const Session& session, const store::Containers& containers, const std::string& id);

}  // namespace udk::cli
