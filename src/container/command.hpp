#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "container/guest_view.hpp"
#include "container/metadata.hpp"

namespace udk::container {

struct CommandLine {
  std::vector<std::string> argv;
  bool assumed = false;  // neither the user nor the image says what to run
};

// Entrypoint, Cmd and the user's words put together by docker's rules. --entrypoint=TEXT (words between blanks)
// replaces Entrypoint and drops Cmd; an empty one drops both.
CommandLine choose_command(const Metadata& metadata, const RunOptions& options, const Settings& settings);

// The file that `name` means: a path (relative ones start at `cwd`), or the first executable along the colon-separated
// `path`. Returns an absolute guest path, links not followed. Code::not_found or Code::denied with the cause.
Result<std::string> find_program(const GuestView& view, const std::string& name, const std::string& path,
                                 const std::string& cwd);

// ['sh', '-c']: words as the Python tool shows them.
std::string quoted_words(const std::vector<std::string>& words);

}  // namespace udk::container
