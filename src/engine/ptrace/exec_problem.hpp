#pragma once

#include <string>
#include <string_view>

// Why the payload's program cannot begin, for the one line that the user gets: object, cause, remedy. Guests' own
// execve(2) tells them an errno alone.
namespace udk::engine {

// `error` is an errno.
std::string interpreter_problem(std::string_view script, std::string_view interpreter, int error);
std::string loader_problem(std::string_view program, std::string_view loader, int error);
// `head`: how the file begins, which is no program of this machine.
std::string format_problem(std::string_view program, std::string_view head);

}  // namespace udk::engine
